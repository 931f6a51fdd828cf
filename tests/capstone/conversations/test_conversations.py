"""Groups, members, history, read marks and search, through the API."""

import asyncio
import itertools
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa
import tornado.testing

from capstone_chat.storage.tables import members
from capstone_chat.text import names
from tests.capstone.chat_case import ChatCase, Line, Person
from tests.capstone.conversations.test_messages import SIGNS

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "javascript:alert(1)",
    "'; DROP TABLE events; --",
    "100%_\\",
    "{{ 7*7 }} {% raw x %}",
    "🦆 ünïcödé 你好",
)


class ConversationsCase(ChatCase):
    options = {"send_burst": 1000, "request_burst": 1000}  # noqa: RUF012

    async def write(self, line: Line, conv: int, *texts: str) -> list[int]:
        """Send messages and return their seqs."""
        cids = [await line.send(conv, text) for text in texts]
        acks = [await line.receive("ack") for _ in cids]
        self.assertEqual([ack["cid"] for ack in acks], cids)
        return [ack["seq"] for ack in acks]

    async def events(self, person: Person, conv: int, query: str = "") -> list[dict[str, Any]]:
        code, answer = await person.call("GET", f"/api/conversations/{conv}/events{query}")
        self.assertEqual(code, 200, answer)
        return list(answer["events"])

    async def state(self, person: Person) -> dict[int, dict[str, Any]]:
        _, answer = await person.call("GET", "/api/state")
        return {one["id"]: one for one in answer["conversations"]}


class GroupTest(ConversationsCase):
    @tornado.testing.gen_test
    async def test_a_new_group_belongs_to_its_maker(self) -> None:
        anna = await self.person("anna", "Anna B.")
        code, answer = await anna.call(
            "POST", "/api/groups", {"title": "  Garden ", "description": "What grows"}
        )
        self.assertEqual(code, 201)
        group = answer["conversation"]
        last = group.pop("last")
        self.assertEqual(
            group,
            {
                "id": 1,
                "kind": "group",
                "title": "Garden",
                "description": "What grows",
                "public": True,
                "head": 1,
                "read": 1,
                "unread": 0,
                "role": "owner",
                "members": 1,
            },
        )
        at = last.pop("at")
        self.assertGreater(at, 1_600_000_000_000)
        self.assertEqual(
            last,
            {
                "type": "member",
                "conv": 1,
                "seq": 1,
                "from": {"id": 1, "nickname": "Anna B.", "picture": None},
                "change": "created",
                "user": {"id": 1, "nickname": "Anna B.", "picture": None},
            },
        )
        self.assertEqual((await self.state(anna))[1]["title"], "Garden")

    @tornado.testing.gen_test
    async def test_wrong_fields_are_named(self) -> None:
        anna = await self.person("anna")
        wrong: list[tuple[dict[str, Any], str, str]] = [
            ({}, "title", "title_invalid"),
            ({"title": ""}, "title", "title_invalid"),
            ({"title": " \u3000 "}, "title", "title_invalid"),
            ({"title": "x" * 81}, "title", "title_invalid"),
            ({"title": "gar\u202eden"}, "title", "title_invalid"),
            ({"title": "gar\nden"}, "title", "title_invalid"),
            ({"title": "half \ud83e of a duck"}, "title", "bad_field"),
            ({"title": 7}, "title", "bad_field"),
            ({"title": None}, "title", "bad_field"),
            ({"title": ["x"]}, "title", "bad_field"),
            ({"title": "x", "description": "y" * 301}, "description", "description_invalid"),
            ({"title": "x", "description": "\u200b"}, "description", "description_invalid"),
            ({"title": "x", "description": {}}, "description", "bad_field"),
        ]
        for body, field, code in wrong:
            with self.subTest(**body):
                status, answer = await anna.call("POST", "/api/groups", body)
                self.assertEqual(status, 400)
                error = answer["error"]
                self.assertEqual((error["field"], error["code"]), (field, code))
                self.assertTrue(error["message"])
        self.assertEqual(await self.state(anna), {})

    @tornado.testing.gen_test
    async def test_the_longest_title_and_description_fit(self) -> None:
        anna = await self.person("anna")
        title, description = "ﬃ" * names.MAX_TITLE_LENGTH, "🦆" * names.MAX_DESCRIPTION_LENGTH
        conv = await anna.group(title, description)
        group = (await self.state(anna))[conv]
        self.assertEqual((group["title"], group["description"]), (title, description))
        _, limits = await anna.call("GET", "/api/state")
        self.assertEqual(
            limits["limits"], {"text": 4000, "title": 80, "description": 300, "nickname": 40}
        )

    @tornado.testing.gen_test
    async def test_the_liveliest_conversation_comes_first(self) -> None:
        anna = await self.person("anna")
        clock = iter(range(1_000_000, 2_000_000, 1000))
        self.chat.groups._clock = self.chat.messages._clock = lambda: next(clock)
        convs = [await anna.group(title) for title in "ABC"]
        await self.write(await anna.connect(), convs[1], "hi")
        _, state = await anna.call("GET", "/api/state")
        self.assertEqual([one["title"] for one in state["conversations"]], ["B", "C", "A"])


class JoinTest(ConversationsCase):
    @tornado.testing.gen_test
    async def test_who_joins_is_a_member_and_sees_all_that_was_written(self) -> None:
        anna, bob = await self.person("anna"), await self.person("bob", "Bob")
        conv = await anna.group()
        line = await anna.connect()
        await self.write(line, conv, "one", "two")
        group = await bob.join(conv)
        self.assertEqual((group["role"], group["members"], group["unread"]), ("member", 2, 0))
        self.assertEqual((group["head"], group["read"]), (4, 4))
        events = await self.events(bob, conv)
        self.assertEqual([event["seq"] for event in events], [1, 2, 3, 4])
        self.assertEqual(events[-1]["change"], "joined")
        self.assertEqual(events[-1]["from"], {"id": 2, "nickname": "Bob", "picture": None})
        told = await line.receive("member")
        self.assertEqual(told, events[-1])

    @tornado.testing.gen_test
    async def test_to_join_twice_also_at_once_changes_nothing(self) -> None:
        anna, bob = await self.person("anna"), await self.person("bob")
        conv = await anna.group()
        groups = await asyncio.gather(*(bob.join(conv) for _ in range(4)))
        self.assertEqual({(group["members"], group["head"]) for group in groups}, {(2, 2)})
        self.assertEqual((await anna.join(conv))["role"], "owner")
        self.assertEqual(len(await self.events(anna, conv)), 2)

    @tornado.testing.gen_test
    async def test_open_sockets_of_who_joins_hear_the_group_from_then_on(self) -> None:
        anna, bob = await self.person("anna"), await self.person("bob")
        conv = await anna.group()
        annas, tabs = await anna.connect(), [await bob.connect(), await bob.connect()]
        await bob.join(conv)
        await annas.send(conv, "welcome")
        for tab in tabs:
            self.assertEqual((await tab.receive())["change"], "joined")
            self.assertEqual((await tab.receive())["text"], "welcome")
        await tabs[0].send(conv, "thanks")
        self.assertEqual((await annas.receive("ack"))["seq"], 3)
        self.assertEqual((await annas.receive("message"))["text"], "welcome")
        self.assertEqual((await annas.receive("message"))["text"], "thanks")

    @tornado.testing.gen_test
    async def test_sockets_of_the_maker_hear_a_new_group(self) -> None:
        anna = await self.person("anna")
        line = await anna.connect()
        conv = await anna.group()
        event = await line.receive("member")
        self.assertEqual((event["conv"], event["seq"], event["change"]), (conv, 1, "created"))
        await self.write(line, conv, "hi")

    @tornado.testing.gen_test
    async def test_members_are_listed_to_members_the_owner_first(self) -> None:
        anna, bob, carl = [await self.person(name) for name in ("zoe", "bob", "anna")]
        conv = await anna.group()
        await bob.join(conv)
        await carl.join(conv)
        _, answer = await bob.call("GET", f"/api/conversations/{conv}/members")
        self.assertEqual(
            answer["members"],
            [
                {"id": 1, "name": "zoe", "nickname": "zoe", "picture": None, "role": "owner"},
                {"id": 3, "name": "anna", "nickname": "anna", "picture": None, "role": "member"},
                {"id": 2, "name": "bob", "nickname": "bob", "picture": None, "role": "member"},
            ],
        )


class HistoryTest(ConversationsCase):
    @tornado.testing.gen_test
    async def test_pages_before_and_after_meet_without_gap_or_overlap(self) -> None:
        anna = await self.person("anna")
        conv = await anna.group()
        await self.write(await anna.connect(), conv, *(f"message {n}" for n in range(2, 131)))

        async def seqs(query: str) -> list[int]:
            return [event["seq"] for event in await self.events(anna, conv, query)]

        def run(first: int, last: int) -> list[int]:
            return list(range(first, last + 1))

        self.assertEqual(await seqs(""), run(31, 130))
        self.assertEqual(await seqs("?limit=50"), run(81, 130))
        self.assertEqual(await seqs("?before=81&limit=50"), run(31, 80))
        self.assertEqual(await seqs("?before=31&limit=50"), run(1, 30))
        self.assertEqual(await seqs("?before=1"), [])
        self.assertEqual(await seqs("?before=0"), [])
        self.assertEqual(await seqs("?after=0&limit=3"), [1, 2, 3])
        self.assertEqual(await seqs("?after=127"), [128, 129, 130])
        self.assertEqual(await seqs("?after=130"), [])
        self.assertEqual(await seqs("?after=9999999999999999"), [])
        self.assertEqual(await seqs("?after=0&limit=1000"), run(1, 100))  # at most a hundred
        self.assertEqual(len(await seqs("?limit=0")), 100)
        texts = [event["text"] for event in await self.events(anna, conv, "?after=1")]
        self.assertEqual(texts, [f"message {n}" for n in range(2, 102)])
        _, answer = await anna.call("GET", f"/api/conversations/{conv}/events?limit=1")
        self.assertEqual(answer["head"], 130)

    @tornado.testing.gen_test
    async def test_a_place_that_is_no_number_is_named(self) -> None:
        anna = await self.person("anna")
        conv = await anna.group()
        for name in "before", "after", "limit":
            for value in "x", "-1", "1.5", "", "1e3", "%D9%A1", "1" * 17, "1;DROP TABLE events":
                with self.subTest(name=name, value=value):
                    code, answer = await anna.call(
                        "GET",
                        f"/api/conversations/{conv}/events?{name}={value}".replace(" ", "%20"),
                    )
                    self.assertEqual(code, 400)
                    self.assertEqual(answer["error"]["field"], name)

    @tornado.testing.gen_test
    async def test_seqs_have_no_gaps_when_many_write_and_join_at_once(self) -> None:
        people = [await self.person(f"person{n}") for n in range(4)]
        conv = await people[0].group()
        other = await people[0].group("Other")
        for person in people[1:3]:
            await person.join(conv)
        lines = [await person.connect() for person in people[:3]]

        async def write(line: Line, where: int) -> list[int]:
            return await self.write(line, where, *(f"m{n}" for n in range(30)))

        *seqs, _join, _other = await asyncio.gather(
            *(write(line, conv) for line in lines), people[3].join(conv), people[0].join(other)
        )
        events = await self.events(people[3], conv, "?after=0")
        self.assertEqual([event["seq"] for event in events], list(range(1, 95)))
        for own in seqs:
            self.assertEqual(own, sorted(own))
        self.assertEqual(len({seq for own in seqs for seq in own}), 90)
        self.assertEqual((await self.state(people[0]))[other]["head"], 1)


class ReadTest(ConversationsCase):
    async def marks(self, person: Person, conv: int) -> tuple[int, int]:
        group = (await self.state(person))[conv]
        return group["read"], group["unread"]

    @tornado.testing.gen_test
    async def test_unread_counts_what_came_after_the_read_mark(self) -> None:
        anna, bob = await self.person("anna"), await self.person("bob")
        conv = await anna.group()
        await bob.join(conv)
        await self.write(await anna.connect(), conv, "one", "two", "three")
        self.assertEqual(await self.marks(bob, conv), (2, 3))
        line, other_tab = await bob.connect(), await bob.connect()
        await line.say(type="read", conv=conv, seq=4)
        told = {"type": "read", "conv": conv, "seq": 4, "user": 2}
        self.assertEqual(await other_tab.receive("read"), told)
        self.assertEqual(await self.marks(bob, conv), (4, 1))

    @tornado.testing.gen_test
    async def test_the_mark_never_goes_back_and_never_past_the_newest(self) -> None:
        anna = await self.person("anna")
        conv = await anna.group()
        line, other_tab = await anna.connect(), await anna.connect()
        await self.write(line, conv, "one", "two", "three")
        for seq in 3, 2, 0, 5, 10**15, 4:
            await line.say(type="read", conv=conv, seq=seq)
        await line.say(type="ping")
        await line.receive("pong")
        self.assertEqual(await self.marks(anna, conv), (4, 0))
        await other_tab.say(type="ping")
        await other_tab.receive("pong")
        told = [event["seq"] for event in other_tab.seen if event["type"] == "read"]
        self.assertEqual(told, [3, 4])

    @tornado.testing.gen_test
    async def test_nobody_else_hears_of_it_and_nobody_else_moves_it(self) -> None:
        anna, bob, mallory = [await self.person(name) for name in ("anna", "bob", "mallory")]
        conv = await anna.group()
        await bob.join(conv)
        annas, bobs = await anna.connect(), await bob.connect()
        await self.write(annas, conv, "one")
        await bobs.say(type="read", conv=conv, seq=3)
        await bobs.receive("read")
        stranger = await mallory.connect()
        await stranger.say(type="read", conv=conv, seq=3)
        await stranger.say(type="ping")
        await stranger.receive("pong")
        await annas.say(type="ping")
        await annas.receive("pong")
        self.assertNotIn("read", [event["type"] for event in annas.seen])
        query = sa.select(members.c.user_id, members.c.read_seq)
        rows = await self.chat.database.read(lambda c: c.execute(query).all())
        self.assertEqual({tuple(row) for row in rows}, {(1, 1), (2, 3)})


class SearchTest(ConversationsCase):
    async def find(self, person: Person, query: str) -> list[str]:
        code, answer = await person.call("GET", f"/api/groups?query={quote(query)}")
        self.assertEqual(code, 200)
        return [group["title"] for group in answer["groups"]]

    @tornado.testing.gen_test
    async def test_a_part_of_the_title_in_any_case_and_width_finds_it(self) -> None:
        """C276"""
        anna = await self.person("anna")
        for title in "Garden Friends", "Straße", "Чай", "Café":
            await anna.group(title)
        for query, found in (
            ("garden", ["Garden Friends"]),
            ("DEN FRI", ["Garden Friends"]),
            ("ｇａｒｄｅｎ", ["Garden Friends"]),
            ("STRASSE", ["Straße"]),
            ("чАЙ", ["Чай"]),
            ("cafe\u0301", ["Café"]),
            ("cafe", ["Café"]),
            ("чаи", []),
            ("nothing", []),
        ):
            with self.subTest(query=query):
                self.assertEqual(await self.find(anna, query), found)

    @tornado.testing.gen_test
    async def test_signs_of_sql_and_like_are_only_text(self) -> None:
        anna = await self.person("anna")
        for title in itertools.chain.from_iterable(SIGNS.values()):
            await anna.group(title)
        for query, found in SIGNS.items():
            with self.subTest(query=query):
                self.assertEqual(await self.find(anna, query), found)
        self.assertEqual(len(await self.find(anna, "")), 5)

    @tornado.testing.gen_test
    async def test_the_twenty_with_most_members_come_and_say_whether_one_is_in(self) -> None:
        anna, bob = await self.person("anna"), await self.person("bob")
        convs = [await anna.group(f"Group {n}", f"about {n}") for n in range(25)]
        await bob.join(convs[24])
        _, answer = await bob.call("GET", "/api/groups?query=group")
        self.assertEqual(len(answer["groups"]), 20)
        self.assertEqual(
            answer["groups"][0],
            {
                "id": convs[24],
                "title": "Group 24",
                "description": "about 24",
                "members": 2,
                "joined": True,
            },
        )
        self.assertEqual({group["joined"] for group in answer["groups"][1:]}, {False})
        _, answer = await anna.call("GET", "/api/groups")
        self.assertEqual({group["joined"] for group in answer["groups"]}, {True})

    @tornado.testing.gen_test
    async def test_an_endless_query_is_no_trouble(self) -> None:
        anna = await self.person("anna")
        await anna.group("x" * 80)
        self.assertEqual(await self.find(anna, "x" * 2000), ["x" * 80])
        self.assertEqual(await self.find(anna, "%" * 2000), [])
