"""Rule 39: an invite link is signed, expires, can be revoked, and lets in whom the owner wants."""

import secrets
from contextlib import AbstractContextManager
from typing import Any, ClassVar
from unittest import mock

import sqlalchemy as sa
from tornado.testing import gen_test

from capstone_chat.conversations.invite_links import DAY_MS, InviteLinks
from capstone_chat.storage.database import now_ms
from capstone_chat.storage.tables import invite_links, metadata
from tests.capstone.chat_case import Person
from tests.capstone.security.test_33_reach import Answer, ReachCase

ENDED = (404, "not_found", "This invite link has ended. Ask for a new one.")
REMOVED = (403, "removed", "You were removed from this group. Its owner can invite you again.")


class LinkCase(ReachCase):
    """Anna owns a private group with bob in it. Carl and mallory are strangers to both."""

    async def link(self, days: int = 7) -> str:
        """Return the token of a new link."""
        answer = await self.group(self.anna, "POST", "/link", {"days": days}, code=201)
        return str(answer["link"]["token"])

    def at(self, time: int) -> AbstractContextManager[object]:
        """Set the clock of the links, to milliseconds since 1970."""
        return mock.patch("capstone_chat.conversations.invite_links.now_ms", lambda: time)

    async def look(self, person: Person, token: str) -> Answer:
        return await person.call("GET", f"/api/join?token={token}")

    async def use(self, person: Person, token: str) -> Answer:
        return await person.call("POST", "/api/join", {"token": token})

    async def assert_refused(
        self, person: Person, token: str, wanted: tuple[int, str, str]
    ) -> None:
        """Check that a link neither shows its group nor lets a user in."""
        for code, answer in (await self.look(person, token), await self.use(person, token)):
            error = answer["error"]
            self.assertEqual((code, error["code"], error["message"]), wanted)
        self.assertNotIn(person.name, await self.roles())


class LinkTest(LinkCase):
    @gen_test
    async def test_a_stranger_sees_the_group_and_joins_it_once(self) -> None:
        token, bobs = await self.link(), await self.bob.connect()
        code, answer = await self.look(self.carl, token)
        group = {"id": self.conv, "title": "Garden", "description": "", "members": 2}
        self.assertEqual((code, answer), (200, {"group": group | {"joined": False}}))
        self.assertNotIn("carl", await self.roles())  # a GET changes nothing
        for _ in range(2):
            code, answer = await self.use(self.carl, token)
            self.assertEqual((code, answer["conversation"]["members"]), (200, 3))
        self.assertEqual([event["change"] for event in await self.told(bobs)], ["joined"])
        self.assertTrue((await self.look(self.carl, token))[1]["group"]["joined"])

    @gen_test
    async def test_only_the_owner_makes_sees_and_revokes_a_link(self) -> None:
        token = await self.link()
        for method in "GET", "POST", "DELETE":
            body = {"days": 7}
            answer = await self.group(self.bob, method, "/link", body, code=403)
            self.assertEqual(answer["error"]["code"], "not_owner")
            await self.group(self.mallory, method, "/link", body, code=404)
        shown = await self.group(self.anna, "GET", "/link")
        self.assertEqual(shown["link"]["token"], token)
        for days in 0, 2, 31, 365:
            await self.group(self.anna, "POST", "/link", {"days": days}, code=400)

    @gen_test
    async def test_a_link_ends_when_it_is_revoked_or_replaced(self) -> None:
        first = await self.link()
        second = await self.link()
        await self.assert_refused(self.carl, first, ENDED)
        self.assertEqual((await self.look(self.carl, second))[0], 200)
        for _ in range(2):
            await self.group(self.anna, "DELETE", "/link", code=204)
        await self.assert_refused(self.carl, second, ENDED)
        self.assertEqual(await self.group(self.anna, "GET", "/link"), {"link": None})

    @gen_test
    async def test_a_link_expires_also_if_the_clock_was_wrong_when_it_was_made(self) -> None:
        now = now_ms()
        for days in 1, 7, 30:
            token = await self.link(days)
            for margin, code in (-60_000, 200), (60_000, 404):
                with self.at(now + days * DAY_MS + margin):
                    self.assertEqual((await self.look(self.carl, token))[0], code)
        with self.at(now + 400 * DAY_MS):
            token = await self.link()
        await self.assert_refused(self.carl, token, ENDED)

    @gen_test
    async def test_a_group_without_members_has_no_link(self) -> None:
        token = await self.link()
        for person in self.bob, self.anna:
            await self.group(person, "DELETE", f"/members/{person.id}", code=204)
        await self.assert_refused(self.carl, token, ENDED)
        self.assertEqual(await self.rows(invite_links), 0)

    @gen_test
    async def test_no_other_token_is_accepted_and_no_copy_of_the_database_makes_one(self) -> None:
        token = await self.link()
        other = await self.mallory.group("Mallory's")
        _, answer = await self.mallory.call("POST", f"/api/groups/{other}/link", {"days": 7})
        signature = answer["link"]["token"].partition("-")[2]
        guess = InviteLinks(self.chat.database, self.chat.hub, secrets.token_hex(32))
        forged = await self.chat.database.read(lambda c: guess._stored(c, self.conv))
        assert forged is not None
        for wrong in (
            *("", "x", f"{self.conv}-", token[:-1], f"{token}A", token.swapcase()),
            *(f"{self.conv}-{signature}", f"{other}-{token.partition('-')[2]}", forged.token),
            f"999-{signature}",
        ):
            with self.subTest(token=wrong):
                await self.assert_refused(self.carl, wrong, ENDED)

        def everything(connection: sa.Connection) -> str:
            tables = metadata.tables.values()
            return str([connection.execute(sa.select(table)).all() for table in tables])

        stored = await self.chat.database.read(everything)
        self.assertNotIn(token.partition("-")[2], stored)


class RefusedTest(LinkCase):
    @gen_test
    async def test_a_removed_member_does_not_come_back_by_a_link(self) -> None:
        token = await self.link()
        await self.group(self.anna, "DELETE", f"/members/{self.bob.id}", code=204)
        await self.assert_refused(self.bob, token, REMOVED)
        await self.assert_refused(self.bob, await self.link(), REMOVED)
        # The owner invites bob; after that the link is as good to him as to anybody else.
        await self.invite(self.bob)
        await self.bob.join(self.conv)
        await self.group(self.bob, "DELETE", f"/members/{self.bob.id}", code=204)
        self.assertEqual((await self.use(self.bob, await self.link()))[0], 200)

    @gen_test
    async def test_to_a_user_whom_the_owner_has_blocked_the_link_has_ended(self) -> None:
        token = await self.link()
        await self.block(self.anna, self.carl)
        await self.assert_refused(self.carl, token, ENDED)
        await self.block(self.mallory, self.anna)  # to block the owner is no reason to refuse
        self.assertEqual((await self.use(self.mallory, token))[0], 200)

    @gen_test
    async def test_joining_by_a_link_uses_an_invitation_up(self) -> None:
        await self.invite(self.carl)
        tab = await self.carl.connect()
        self.assertEqual((await self.use(self.carl, await self.link()))[0], 200)
        self.assertEqual(await self.told_of_invitations(tab), [("invitation_ended", self.conv)])
        self.assertEqual((await self.invited(self.carl), await self.listed()), ([], []))


class RateTest(LinkCase):
    options: ClassVar[dict[str, Any]] = {
        **{"request_burst": 8, "request_rate": 0.001},
        **{"read_burst": 5, "read_rate": 0.001},
    }

    @gen_test
    async def test_guesses_have_a_rate_limit(self) -> None:
        looks = [(await self.look(self.carl, "1-x"))[0] for _ in range(7)]
        self.assertEqual(looks, [404] * 5 + [429] * 2)
        uses = [(await self.use(self.carl, "1-x"))[0] for _ in range(10)]
        self.assertEqual(uses, [404] * 8 + [429] * 2)
