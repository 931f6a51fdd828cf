"""Who is blocked reaches nobody by a group; strangers are invited; counting ids tells nothing."""

import asyncio
from typing import Any
from unittest import mock

import sqlalchemy as sa
import tornado.testing

from capstone_chat import services
from capstone_chat.conversations import invitations
from capstone_chat.rate_limiter import RateLimiter
from capstone_chat.storage.tables import departures
from capstone_chat.storage.tables import invitations as table
from tests.capstone.chat_case import PASSWORD, Line, Person
from tests.capstone.conversations.test_contacts import ContactsCase
from tests.capstone.conversations.test_groups import GroupsCase
from tests.capstone.two_nodes_case import TwoNodesCase

Answer = tuple[int, dict[str, Any]]


class ReachCase(GroupsCase):
    """Anna owns a private group with bob in it. Carl is a stranger to both."""

    async def gather(self) -> None:
        await super().gather()
        await self.group(self.anna, "PATCH", "", {"public": False})

    async def add(self, name: str, *, by: Person | None = None, conv: int = 0) -> Answer:
        path = f"/api/groups/{conv or self.conv}/members"
        return await (by or self.anna).call("POST", path, {"name": name})

    async def invite(self, person: Person, conv: int = 0) -> None:
        code, answer = await self.add(person.name, conv=conv)
        self.assertEqual((code, answer.get("invited")), (200, True), answer)

    async def block(self, person: Person, other: Person, *, blocked: bool = True) -> None:
        body = {"name": other.name, "blocked": blocked}
        code, answer = await person.call("POST", "/api/contacts", body)
        self.assertEqual(code, 201, answer)

    async def invited(self, person: Person) -> list[dict[str, Any]]:
        _, state = await person.call("GET", "/api/state")
        hello = (await person.connect()).hello
        self.assertEqual([one["conv"] for one in state["invitations"]], hello["invitations"])
        return list(state["invitations"])

    async def listed(self) -> list[str]:
        answer = await self.group(self.anna, "GET", "/invitations")
        return [person["name"] for person in answer["invitations"]]

    async def told_of_invitations(self, line: Line) -> list[tuple[str, int]]:
        heard = await line.heard()
        return [(e["type"], e["conv"]) for e in heard if e["type"].startswith("invit")]

    async def rows(self, of: sa.Table) -> int:
        query = sa.select(sa.func.count()).select_from(of)
        return await self.chat.database.read(lambda c: c.scalars(query).one())


class StrangerTest(ReachCase):
    @tornado.testing.gen_test
    async def test_a_stranger_is_invited_and_not_added(self) -> None:
        carls, bobs = await self.carl.connect(), await self.bob.connect()
        code, answer = await self.add(" CARL ")
        self.assertEqual((code, answer["invited"]), (200, True))
        self.assertEqual(answer["conversation"]["members"], 2)
        invitation = (await self.invited(self.carl))[0]
        event = await carls.receive("invited")
        self.assertEqual(event, {"type": "invited", **invitation})
        self.assertGreater(invitation.pop("at"), 1_600_000_000_000)
        inviter = self.who(self.anna) | {"name": "anna"}
        self.assertEqual(
            invitation, {"conv": self.conv, "title": "Garden", "members": 2, "by": inviter}
        )
        self.assertEqual(await self.listed(), ["carl"])
        self.assertEqual(await self.told(bobs), [])
        # Until the invitation is accepted the group is none of carl's.
        for path in "", "/events", "/members":
            code, _ = await self.carl.call("GET", f"/api/conversations/{self.conv}{path}")
            self.assertEqual(code, 404)
        await carls.send(self.conv, "hello?")
        self.assertEqual((await carls.receive("error"))["code"], "not_found")

    @tornado.testing.gen_test
    async def test_only_a_contact_list_with_the_owner_in_it_lets_the_owner_add(self) -> None:
        await self.contact(self.anna, self.carl)  # the other way round counts for nothing
        await self.invite(self.carl)
        await self.contact(self.carl, self.anna)
        carls = await self.carl.connect()
        code, answer = await self.add("carl")
        self.assertEqual((code, answer["invited"]), (200, False))
        self.assertEqual((await self.roles())["carl"], "member")
        self.assertEqual(await self.told_of_invitations(carls), [("invitation_ended", self.conv)])
        self.assertEqual((await self.invited(self.carl), await self.listed()), ([], []))

    @tornado.testing.gen_test
    async def test_to_accept_is_to_join_also_a_private_group(self) -> None:
        await self.invite(self.carl)
        tab, bobs = await self.carl.connect(), await self.bob.connect()
        self.assertEqual((await self.carl.join(self.conv))["members"], 3)
        self.assertEqual(await self.told_of_invitations(tab), [("invitation_ended", self.conv)])
        self.assertEqual([event["change"] for event in await self.told(bobs)], ["joined"])
        self.assertEqual(await self.invited(self.carl), [])
        await self.group(self.carl, "DELETE", "/members/3", code=204)
        await self.group(self.carl, "POST", "/join", code=404)  # an invitation is used once

    @tornado.testing.gen_test
    async def test_to_decline_is_told_to_nobody(self) -> None:
        await self.invite(self.carl)
        tab, annas = await self.carl.connect(), await self.anna.connect()
        await self.group(self.carl, "DELETE", "/invitations/3", code=204)
        self.assertEqual(await self.told_of_invitations(tab), [("invitation_ended", self.conv)])
        self.assertEqual((await annas.heard(), await self.listed()), ([], []))
        await self.group(self.carl, "DELETE", "/invitations/3", code=404)
        await self.group(self.carl, "POST", "/join", code=404)

    @tornado.testing.gen_test
    async def test_the_owner_withdraws_and_nobody_else(self) -> None:
        await self.invite(self.carl)
        carls = await self.carl.connect()
        for method, path in ("GET", "/invitations"), ("DELETE", "/invitations/3"):
            answer = await self.group(self.bob, method, path, code=403)
            self.assertEqual(answer["error"]["code"], "not_owner")
            answer = await self.group(self.mallory, method, path, code=404)
        await self.group(self.anna, "DELETE", "/invitations/3", code=204)
        self.assertEqual(await self.told_of_invitations(carls), [("invitation_ended", self.conv)])
        await self.group(self.anna, "DELETE", "/invitations/3", code=404)
        await self.group(self.carl, "POST", "/join", code=404)

    @tornado.testing.gen_test
    async def test_invited_twice_is_invited_once_also_at_once(self) -> None:
        carls = await self.carl.connect()
        answers = await asyncio.gather(*(self.add("carl") for _ in range(4)))
        self.assertEqual([answer for answer in answers if answer != answers[0]], [])
        self.assertEqual(await self.told_of_invitations(carls), [("invited", self.conv)])

    @tornado.testing.gen_test
    async def test_an_invitation_is_accepted_or_withdrawn_but_not_both(self) -> None:
        await self.invite(self.carl)
        results = await asyncio.gather(
            self.carl.call("POST", f"/api/groups/{self.conv}/join"),
            self.anna.call("DELETE", f"/api/groups/{self.conv}/invitations/3"),
        )
        self.assertEqual(sorted(code // 100 for code, _ in results), [2, 4])
        accepted = results[0][0] == 200
        self.assertEqual("carl" in await self.roles(), accepted)

    @tornado.testing.gen_test
    async def test_former_members_are_invited_even_contacts(self) -> None:
        await self.contact(self.bob, self.anna)
        for how in "left", "removed":
            with self.subTest(how):
                by = self.bob if how == "left" else self.anna
                await self.group(by, "DELETE", "/members/2", code=204)
                bobs = await self.bob.connect()
                await self.invite(self.bob)
                self.assertEqual([e["type"] for e in await bobs.heard()], ["invited"])
                self.assertNotIn("bob", await self.roles())
                await self.bob.join(self.conv)
        self.assertEqual(await self.rows(departures), 0)

    @tornado.testing.gen_test
    async def test_invitations_end_with_the_group_and_with_either_account(self) -> None:
        other = await self.bob.group("Orchard")
        await self.invite(self.carl)
        await self.add("carl", by=self.bob, conv=other)
        await self.bob.call("DELETE", f"/api/groups/{other}/members/2")
        await self.group(self.carl, "POST", "/join")
        self.assertEqual((await self.rows(table), await self.rows(departures)), (0, 0))
        await self.invite(self.mallory)
        await self.mallory.call("DELETE", "/api/me", {"password": PASSWORD})
        self.assertEqual(await self.rows(table), 0)
        another = await self.person("dora")
        await self.invite(another)
        await self.anna.call("DELETE", "/api/me", {"password": PASSWORD})
        self.assertEqual((await self.rows(table), await self.rows(departures)), (0, 0))
        self.assertEqual(await self.invited(another), [])

    @tornado.testing.gen_test
    async def test_a_dead_or_unknown_person_is_not_invited(self) -> None:
        await self.carl.call("DELETE", "/api/me", {"password": PASSWORD})
        for name in "carl", "nobody", "deleted-3":
            code, answer = await self.add(name)
            self.assertEqual((code, answer["error"]["code"]), (403, "no_such_user"))


class BoundTest(ReachCase):
    @tornado.testing.gen_test
    async def test_pending_invitations_are_bounded_for_a_pair_a_user_and_a_group(self) -> None:
        convs = [await self.anna.group(f"Group {n}") for n in range(3)]
        for limit in "MAX_PENDING_PER_PAIR", "MAX_PENDING_PER_USER":
            with self.subTest(limit), mock.patch.object(invitations, limit, 2):
                for conv in convs[:2]:
                    await self.invite(self.carl, conv)
                code, answer = await self.add("carl", conv=convs[2])
                self.assertEqual((code, answer["error"]["code"]), (403, "too_many_invitations"))
                await self.invite(self.carl, convs[0])  # the same again is no new one
        with mock.patch.object(invitations, "MAX_PENDING_PER_GROUP", 1):
            await self.invite(self.carl)
            self.assertEqual((await self.add("mallory"))[0], 403)

    @tornado.testing.gen_test
    async def test_to_invite_again_and_again_is_too_often(self) -> None:
        limit = RateLimiter(services.INVITATION_RATE, 3)
        with mock.patch.object(self.chat.invitation_limiter, "acquire", limit.acquire):
            for _ in range(3):
                await self.invite(self.carl)
                await self.group(self.carl, "DELETE", "/invitations/3", code=204)
            code, answer = await self.add("carl")
        self.assertEqual((code, answer["error"]["code"]), (429, "rate_limited"))
        self.assertEqual(await self.invited(self.carl), [])


class BlockedTest(ReachCase):
    """Bob does not learn from a group of his that carl has blocked him, and does not reach carl."""

    async def gather(self) -> None:
        await super().gather()
        self.bobs = await self.bob.group("Trap")

    async def lure(self, person: Person) -> Answer:
        return await self.add(person.name, by=self.bob, conv=self.bobs)

    async def seen_by_bob(self) -> list[str]:
        _, answer = await self.bob.call("GET", f"/api/groups/{self.bobs}/invitations")
        return [person["name"] for person in answer["invitations"]]

    @tornado.testing.gen_test
    async def test_the_blocker_sees_nothing_and_the_answer_is_that_for_a_stranger(self) -> None:
        await self.contact(self.carl, self.bob)
        await self.block(self.carl, self.bob)
        carls = await self.carl.connect()
        stranger, blocker = await self.lure(self.mallory), await self.lure(self.carl)
        self.assertEqual(stranger, blocker)
        self.assertEqual((stranger[0], stranger[1]["invited"]), (200, True))
        self.assertEqual(await self.seen_by_bob(), ["carl", "mallory"])
        self.assertEqual((await carls.heard(), await self.invited(self.carl)), ([], []))
        _, state = await self.carl.call("GET", "/api/state")
        self.assertEqual(state["conversations"], [])
        for method, path in ("POST", "join"), ("DELETE", "invitations/3"):
            code, _ = await self.carl.call(method, f"/api/groups/{self.bobs}/{path}")
            self.assertEqual(code, 404 if method == "DELETE" else 200)  # the group is public

    @tornado.testing.gen_test
    async def test_an_unseen_invitation_is_no_way_into_a_private_group(self) -> None:
        await self.bob.call("PATCH", f"/api/groups/{self.bobs}", {"public": False})
        await self.block(self.carl, self.bob)
        await self.lure(self.carl)
        code, _ = await self.carl.call("POST", f"/api/groups/{self.bobs}/join")
        self.assertEqual(code, 404)
        # Nor does it end by that: bob would see that somebody has tried.
        self.assertEqual(await self.seen_by_bob(), ["carl"])

    @tornado.testing.gen_test
    async def test_a_block_removes_the_invitations_between_the_two(self) -> None:
        await self.lure(self.carl)
        own = await self.carl.group("Own")
        await self.add("bob", by=self.carl, conv=own)
        carls, bobs = await self.carl.connect(), await self.bob.connect()
        await self.block(self.carl, self.bob)
        self.assertEqual(await self.told_of_invitations(carls), [("invitation_ended", self.bobs)])
        self.assertEqual(await self.told_of_invitations(bobs), [("invitation_ended", own)])
        self.assertEqual((await self.rows(table), await self.invited(self.bob)), (0, []))

    @tornado.testing.gen_test
    async def test_what_was_sent_to_a_blocker_does_not_appear_when_the_block_ends(self) -> None:
        for end in "unblock", "remove":
            with self.subTest(end):
                await self.block(self.carl, self.bob)
                await self.lure(self.carl)
                carls = await self.carl.connect()
                if end == "unblock":
                    await self.block(self.carl, self.bob, blocked=False)
                else:
                    await self.carl.call("DELETE", "/api/contacts/2")
                self.assertEqual(await self.told_of_invitations(carls), [])
                self.assertEqual(await self.invited(self.carl), [])

    @tornado.testing.gen_test
    async def test_who_blocks_cannot_invite_and_is_told_so(self) -> None:
        await self.block(self.bob, self.carl)
        code, answer = await self.lure(self.carl)
        self.assertEqual((code, answer["error"]["code"]), (403, "blocked"))
        self.assertEqual(await self.invited(self.carl), [])

    @tornado.testing.gen_test
    async def test_limits_are_the_same_for_a_blocker_and_a_stranger(self) -> None:
        await self.block(self.carl, self.bob)
        with mock.patch.object(invitations, "MAX_PENDING_PER_PAIR", 1):
            for person in self.carl, self.mallory:
                await self.lure(person)
            conv = await self.bob.group("Another trap")
            answers = [
                await self.add(person.name, by=self.bob, conv=conv)
                for person in (self.carl, self.mallory)
            ]
        self.assertEqual(answers[0], answers[1])
        self.assertEqual(answers[0][0], 403)

    @tornado.testing.gen_test
    async def test_both_may_join_the_same_public_group(self) -> None:
        await self.block(self.carl, self.bob)
        await self.carl.join(self.bobs)
        carls, bobs = await self.carl.connect(), await self.bob.connect()
        await bobs.send(self.bobs, "to all")
        self.assertEqual((await carls.receive("message"))["text"], "to all")
        self.assertEqual((carls.hello["online"], bobs.hello["online"]), ([], []))


class CountingTest(ContactsCase):
    """An id alone leads to nobody whom the user cannot see."""

    async def gather(self) -> None:
        await super().gather()
        self.mallory = await self.person("mallory")

    async def put(self, person: Person, other: int, **body: bool) -> Answer:
        return await person.call("PUT", f"/api/contacts/{other}", body)

    @tornado.testing.gen_test
    async def test_a_stranger_and_nobody_look_alike(self) -> None:
        await self.add(self.anna, self.mallory)  # nor does it tell who has mallory as a contact
        conv = await self.anna.group("Secret")
        answers = [
            await self.put(self.mallory, other, **body)
            for other in (1, 2, 99, 10**15 - 1)
            for body in ({}, {"blocked": True}, {"blocked": False})
        ]
        answers += [
            await self.mallory.call("POST", f"/api/private/{other}") for other in (1, 2, 99)
        ]
        self.assertEqual(answers[0][0], 404)
        self.assertEqual([answer for answer in answers if answer != answers[0]], [])
        for method, path in (
            ("GET", "invitations"),
            ("DELETE", "invitations/3"),
            ("DELETE", "invitations/1"),
            ("DELETE", "members/1"),
        ):
            with self.subTest(path):
                known = await self.mallory.call(method, f"/api/groups/{conv}/{path}")
                unknown = await self.mallory.call(method, f"/api/groups/999/{path}")
                self.assertEqual((known[0], known), (404, unknown))
        _, state = await self.mallory.call("GET", "/api/state")
        self.assertEqual(state["contacts"], [])

    @tornado.testing.gen_test
    async def test_contacts_fellow_members_and_inviters_are_found_by_id(self) -> None:
        conv = await self.anna.group()
        await self.anna.call("POST", f"/api/groups/{conv}/members", {"name": "bob"})
        self.assertEqual((await self.put(self.bob, 1, blocked=True))[0], 200)  # the inviter
        self.assertEqual((await self.put(self.bob, 1, blocked=False))[0], 200)  # a contact
        await self.mallory.join(conv)
        self.assertEqual((await self.put(self.mallory, 1))[0], 200)
        await self.mallory.call("DELETE", f"/api/groups/{conv}/members/3")
        self.assertEqual((await self.put(self.mallory, 1, blocked=True))[0], 200)
        await self.mallory.call("DELETE", "/api/contacts/1")
        self.assertEqual((await self.put(self.mallory, 1))[0], 404)

    @tornado.testing.gen_test
    async def test_an_inviter_whom_the_user_has_blocked_is_seen_no_more(self) -> None:
        conv = await self.anna.group()
        await self.block_stranger(self.bob, self.anna)
        await self.anna.call("POST", f"/api/groups/{conv}/members", {"name": "bob"})
        await self.bob.call("DELETE", "/api/contacts/1")
        self.assertEqual((await self.put(self.bob, 1))[0], 404)


class ElsewhereTest(TwoNodesCase):
    @tornado.testing.gen_test
    async def test_an_invitation_and_its_end_reach_other_processes(self) -> None:
        carl = await self.person("carl")
        line = await self.second.visit(carl).connect()
        await self.anna.call("POST", f"/api/groups/{self.conv}/members", {"name": "carl"})
        self.assertEqual((await line.receive("invited"))["conv"], self.conv)
        await self.anna.call("DELETE", f"/api/groups/{self.conv}/invitations/{carl.id}")
        self.assertEqual((await line.receive("invitation_ended"))["conv"], self.conv)
