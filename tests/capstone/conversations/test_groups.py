"""Groups and their owners: who may do what, and that every change is an event of the group."""

import asyncio
from typing import Any

import tornado.testing

from tests.capstone.chat_case import PASSWORD, Line, PeopleCase, Person


class GroupsCase(PeopleCase):
    """Anna owns a group that bob has joined; carl and mallory have not."""

    async def gather(self) -> None:
        await super().gather()
        self.carl = await self.person("carl", "Carl")
        self.mallory = await self.person("mallory")
        self.conv = await self.anna.group()
        await self.bob.join(self.conv)

    def who(self, person: Person) -> dict[str, Any]:
        return {"id": person.id, "nickname": person.name.capitalize(), "picture": None}

    async def group(
        self, person: Person, method: str, path: str = "", body: Any = None, *, code: int = 200
    ) -> dict[str, Any]:
        status, answer = await person.call(method, f"/api/groups/{self.conv}{path}", body)
        self.assertEqual(status, code, answer)
        return answer

    async def contact(self, person: Person, other: Person) -> None:
        """Let somebody have another one in the contact list."""
        code, answer = await person.call("POST", "/api/contacts", {"name": other.name})
        self.assertEqual(code, 201, answer)

    async def roles(self) -> dict[str, str]:
        for person in self.anna, self.bob, self.carl:
            path = f"/api/conversations/{self.conv}/members"
            code, answer = await person.call("GET", path)
            if code == 200:
                return {member["name"]: member["role"] for member in answer["members"]}
        return {}

    async def told(self, line: Line) -> list[dict[str, Any]]:
        """What a socket heard of the group, without the times."""
        heard = [event for event in await line.heard() if event.get("conv") == self.conv]
        for event in heard:
            self.assertGreater(event.pop("at"), 1_600_000_000_000)
            self.assertEqual(event.pop("conv"), self.conv)
        return heard


class EditTest(GroupsCase):
    @tornado.testing.gen_test
    async def test_each_change_is_an_event_that_all_members_see(self) -> None:
        lines = [await self.anna.connect(), await self.bob.connect()]
        body = {"title": " Orchard ", "description": "Who picks what", "public": False}
        answer = await self.group(self.anna, "PATCH", "", body)
        group = answer["conversation"]
        self.assertEqual(
            (group["title"], group["description"], group["public"], group["head"]),
            ("Orchard", "Who picks what", False, 5),
        )
        anna = self.who(self.anna)
        expected = [
            {"type": "title", "seq": 3, "from": anna, "text": "Orchard"},
            {"type": "description", "seq": 4, "from": anna, "text": "Who picks what"},
            {"type": "visibility", "seq": 5, "from": anna, "text": "private"},
        ]
        for line in lines:
            self.assertEqual(await self.told(line), expected)
        path = f"/api/conversations/{self.conv}/events?after=2"
        _, history = await self.bob.call("GET", path)
        self.assertEqual(
            [event["type"] for event in history["events"]], [e["type"] for e in expected]
        )
        await self.group(self.anna, "PATCH", "", {"public": True})
        self.assertEqual((await self.told(lines[1]))[0]["text"], "public")

    @tornado.testing.gen_test
    async def test_what_stays_the_same_is_no_event(self) -> None:
        for body in {}, {"title": "Garden"}, {"title": " Garden", "public": True}:
            answer = await self.group(self.anna, "PATCH", "", body)
            self.assertEqual(answer["conversation"]["head"], 2)

    @tornado.testing.gen_test
    async def test_wrong_fields_are_named_and_nothing_is_changed(self) -> None:
        wrong: list[tuple[dict[str, Any], str]] = [
            ({"title": ""}, "title"),
            ({"title": "x" * 81}, "title"),
            ({"title": "gar\u202eden"}, "title"),
            ({"title": 7}, "title"),
            ({"title": "fine", "description": "x" * 301}, "description"),
            ({"description": None}, "description"),
            ({"title": "fine", "public": "yes"}, "public"),
            ({"public": None}, "public"),
        ]
        for body, field in wrong:
            with self.subTest(**body):
                answer = await self.group(self.anna, "PATCH", "", body, code=400)
                self.assertEqual(answer["error"]["field"], field)
        _, state = await self.anna.call("GET", "/api/state")
        self.assertEqual(
            (state["conversations"][0]["title"], state["conversations"][0]["head"]), ("Garden", 2)
        )

    @tornado.testing.gen_test
    async def test_a_new_title_is_found_and_the_old_one_is_not(self) -> None:
        await self.group(self.anna, "PATCH", "", {"title": "Orchard"})
        for query, found in ("orchARD", ["Orchard"]), ("garden", []):
            _, answer = await self.mallory.call("GET", f"/api/groups?query={query}")
            self.assertEqual([group["title"] for group in answer["groups"]], found)


class VisibilityTest(GroupsCase):
    @tornado.testing.gen_test
    async def test_a_private_group_is_found_and_joined_by_nobody(self) -> None:
        await self.group(self.anna, "PATCH", "", {"public": False})
        _, answer = await self.carl.call("GET", "/api/groups?query=garden")
        self.assertEqual(answer["groups"], [])
        await self.group(self.carl, "POST", "/join", code=404)
        await self.group(self.bob, "POST", "/join", code=404)  # a member already
        await self.group(self.anna, "PATCH", "", {"public": True})
        await self.group(self.carl, "POST", "/join")

    @tornado.testing.gen_test
    async def test_a_group_is_made_private_from_the_start(self) -> None:
        body = {"title": "Surprise", "public": False}
        code, answer = await self.anna.call("POST", "/api/groups", body)
        self.assertEqual((code, answer["conversation"]["public"]), (201, False))
        _, answer = await self.anna.call("GET", "/api/groups?query=surprise")
        self.assertEqual(answer["groups"], [])
        code, answer = await self.anna.call("POST", "/api/groups", {"title": "x", "public": 1})
        self.assertEqual((code, answer["error"]["field"]), (400, "public"))


class AddTest(GroupsCase):
    @tornado.testing.gen_test
    async def test_the_owner_adds_somebody_whose_open_sockets_hear_it(self) -> None:
        await self.group(self.anna, "PATCH", "", {"public": False})
        await self.contact(self.carl, self.anna)
        lines = [await self.carl.connect(), await self.bob.connect()]
        answer = await self.group(self.anna, "POST", "/members", {"name": " CARL "})
        self.assertEqual(answer["conversation"]["members"], 3)
        expected = {
            "type": "member",
            "seq": 4,
            "from": self.who(self.anna),
            "change": "added",
            "user": self.who(self.carl),
        }
        for line in lines:
            self.assertEqual(await self.told(line), [expected])
        await lines[0].send(self.conv, "thanks")
        self.assertEqual((await lines[1].receive("message"))["text"], "thanks")
        _, state = await self.carl.call("GET", "/api/state")
        self.assertEqual(state["conversations"][0]["unread"], 0)  # what was before is no news

    @tornado.testing.gen_test
    async def test_to_add_a_member_changes_nothing_also_at_once(self) -> None:
        body = {"name": "bob"}
        answers = [await self.group(self.anna, "POST", "/members", body)]
        body = {"name": "carl"}
        await self.contact(self.carl, self.anna)
        adds = (self.group(self.anna, "POST", "/members", body) for _ in range(4))
        answers += await asyncio.gather(*adds)
        self.assertEqual([a["conversation"]["head"] for a in answers], [2, 3, 3, 3, 3])

    @tornado.testing.gen_test
    async def test_who_does_not_exist_is_named(self) -> None:
        for name in "nobody", "", "x" * 999, "bob'; --":
            answer = await self.group(self.anna, "POST", "/members", {"name": name}, code=403)
            self.assertEqual(answer["error"]["code"], "no_such_user")
        answer = await self.group(self.anna, "POST", "/members", {"name": ["bob"]}, code=400)
        self.assertEqual(answer["error"]["field"], "name")


class LeaveTest(GroupsCase):
    @tornado.testing.gen_test
    async def test_a_member_leaves_and_hears_that_and_nothing_after_it(self) -> None:
        annas, bobs = await self.anna.connect(), await self.bob.connect()
        await self.group(self.bob, "DELETE", "/members/2", code=204)
        await annas.send(self.conv, "bob has gone")
        await annas.receive("message")
        bob = self.who(self.bob)
        left = {"type": "member", "seq": 3, "from": bob, "change": "left", "user": bob}
        self.assertEqual(await self.told(bobs), [left])
        self.assertEqual((await self.bob.connect()).hello["heads"], {})
        await self.group(self.bob, "DELETE", "/members/2", code=404)

    @tornado.testing.gen_test
    async def test_the_group_of_an_owner_who_leaves_passes_to_its_longest_member(self) -> None:
        await self.carl.join(self.conv)
        bobs = await self.bob.connect()
        await self.group(self.anna, "DELETE", "/members/1", code=204)
        anna = self.who(self.anna)
        self.assertEqual(
            await self.told(bobs),
            [
                {"type": "member", "seq": 4, "from": anna, "change": "left", "user": anna},
                {
                    "type": "member",
                    "seq": 5,
                    "from": anna,
                    "change": "owner",
                    "user": self.who(self.bob),
                },
            ],
        )
        self.assertEqual(await self.roles(), {"bob": "owner", "carl": "member"})
        await self.group(self.bob, "PATCH", "", {"title": "Bob's"})

    @tornado.testing.gen_test
    async def test_a_group_that_all_have_left_is_no_more(self) -> None:
        await self.group(self.bob, "DELETE", "/members/2", code=204)
        await self.group(self.anna, "DELETE", "/members/1", code=204)
        _, answer = await self.carl.call("GET", "/api/groups?query=garden")
        self.assertEqual(answer["groups"], [])
        await self.group(self.carl, "POST", "/join", code=404)

    @tornado.testing.gen_test
    async def test_who_deletes_the_account_leaves_all_groups(self) -> None:
        bobs = await self.bob.connect()
        await self.anna.call("DELETE", "/api/me", {"password": PASSWORD})
        changes = [(e["seq"], e["change"], e["from"]["nickname"]) for e in await self.told(bobs)]
        self.assertEqual(changes, [(3, "left", "deleted user"), (4, "owner", "deleted user")])
        self.assertEqual(await self.roles(), {"bob": "owner"})


class OwnerTest(GroupsCase):
    @tornado.testing.gen_test
    async def test_who_was_removed_may_join_a_public_group_again(self) -> None:
        await self.group(self.anna, "DELETE", "/members/2", code=204)
        await self.bob.join(self.conv)
        self.assertEqual(await self.roles(), {"anna": "owner", "bob": "member"})

    @tornado.testing.gen_test
    async def test_the_owner_hands_the_group_over(self) -> None:
        bobs = await self.bob.connect()
        answer = await self.group(self.anna, "PUT", "/owner", {"user": 2})
        self.assertEqual(answer["conversation"]["role"], "member")
        expected = {
            "type": "member",
            "seq": 3,
            "from": self.who(self.anna),
            "change": "owner",
            "user": self.who(self.bob),
        }
        self.assertEqual(await self.told(bobs), [expected])
        self.assertEqual(await self.roles(), {"bob": "owner", "anna": "member"})
        answer = await self.group(self.anna, "PATCH", "", {"title": "Mine"}, code=403)
        self.assertEqual(answer["error"]["code"], "not_owner")
        await self.group(self.bob, "PATCH", "", {"title": "Bob's"})

    @tornado.testing.gen_test
    async def test_a_group_is_handed_to_a_member_and_nobody_else(self) -> None:
        for heir, code in (3, 404), (99, 404), (1, 403):
            await self.group(self.anna, "PUT", "/owner", {"user": heir}, code=code)
        for wrong in "2", None, True, 2.0:
            answer = await self.group(self.anna, "PUT", "/owner", {"user": wrong}, code=400)
            self.assertEqual(answer["error"]["field"], "user")
        await self.group(self.anna, "DELETE", "/members/3", code=404)
        self.assertEqual(await self.roles(), {"anna": "owner", "bob": "member"})
