"""Large reads come in pages, cost a bounded number of statements, and have a rate limit."""

import asyncio
import contextlib
from typing import Any
from unittest import mock

import sqlalchemy as sa
import tornado.testing

from capstone_chat.accounts import sessions
from capstone_chat.app import ROUTES
from capstone_chat.conversations import (
    contacts,
    conversations,
    event_log,
    groups,
    invitations,
    membership,
)
from capstone_chat.handlers.base import ApiHandler
from capstone_chat.handlers.conversations import MAX_RESULTS
from capstone_chat.rate_limiter import ConcurrencyLimiter
from capstone_chat.storage.tables import contacts as contact_rows
from capstone_chat.storage.tables import conversations as conversation_rows
from capstone_chat.storage.tables import events as event_rows
from capstone_chat.storage.tables import members as member_rows
from capstone_chat.storage.tables import users
from capstone_chat.text.names import canonical_key
from tests.capstone.chat_case import (
    LESS_THAN_A_PING,
    PASSWORD,
    ChatCase,
    Person,
    noted_statements,
)

MANY = 260
"""More than any page holds."""

ONE = "one object"
BYTES = "a file of at most 256 KiB"
FORM = "a page without lists"

PAGES: dict[str, str | dict[str, int]] = {
    "/": FORM,
    "/register": FORM,
    "/login": FORM,
    "/reset": FORM,
    "/captcha/{hex}.png": BYTES,
    "/pictures/{hex}.webp": BYTES,
    "/ws": "heads: bounded by MAX_GROUPS and MAX_PRIVATE_CHATS; online: by MAX_CONTACTS",
    "/api/names": ONE,
    "/api/state": {
        "contacts": contacts.MAX_PAGE_SIZE,
        "conversations": conversations.MAX_PAGE_SIZE,
        "invitations": invitations.MAX_PENDING_PER_USER,
    },
    "/api/conversations": {"conversations": conversations.MAX_PAGE_SIZE},
    "/api/conversations/1": ONE,
    "/api/conversations/1/members": {"members": conversations.MAX_MEMBERS_PAGE_SIZE},
    "/api/conversations/1/events": {"events": event_log.MAX_PAGE_SIZE},
    "/api/conversations/1/search": {"events": MAX_RESULTS},
    "/api/groups": {"groups": 2 * groups.MAX_RESULTS},
    "/api/groups/1": ONE,
    "/api/groups/1/invitations": "for its owner: bounded by MAX_PENDING_PER_GROUP",
    "/api/groups/1/link": ONE,
    "/api/join": ONE,
    "/api/users": ONE,
    "/api/contacts": {"contacts": contacts.MAX_PAGE_SIZE},
    "/api/me/sessions": {"sessions": sessions.MAX_SESSIONS},
    "/healthz": ONE,
    "/readyz": ONE,
    "/metrics": "a fixed set of figures",
}
"""How large the answer to each GET is. A new route says here what bounds it."""

BY_ADDRESS = {"/register", "/login", "/reset", "/captcha/{hex}.png", "/api/names"}
"""Reads without a user: the `requests` limit counts them by address."""

UNLIMITED = {
    "/": "one page of constant size; nothing but the session is looked up",
    "/healthz": "for the operator; no lookup",
    "/readyz": "for the operator; one constant lookup",
    "/metrics": "for the operator; no lookup",
}
"""Reads without a limit, and the reason."""


class Populated(ChatCase):
    """Anna has MANY of everything: groups, private chats, contacts, sessions, fellow members."""

    options = {"read_burst": 10_000, "request_burst": 10_000}  # noqa: RUF012

    async def gather(self) -> None:
        self.anna = await self.person("anna", "Anna")
        await self.populate(MANY)

    async def populate(self, count: int) -> None:
        """Fill the tables as a chat in long use does; conversation 1 is the large group."""
        names = [f"user{number:04}" for number in range(2, count + 2)]
        people = [
            {"name": name, "name_key": name, "nickname": f"Nick {name}", "password": ""}
            | {"id": number, "created_at": 0}
            for number, name in enumerate(names, 2)
        ]
        convs = range(1, 2 * count + 1)
        private = {conv: conv - count + 1 for conv in convs if conv > count}

        def conversation(conv: int) -> dict[str, Any]:
            title = "" if conv in private else f"Garden {conv:04}"
            return {
                "id": conv,
                "kind": "private" if conv in private else "group",
                "title": title,
                "title_key": canonical_key(title),
                "description": "",
                "public": conv not in private,
                "pair": f"1-{private[conv]}" if conv in private else None,
                "head": count if conv == 1 else 1,
                "created_at": 0,
            }

        def member(conv: int, user: int, role: str) -> dict[str, Any]:
            place = {"conversation_id": conv, "user_id": user, "role": role}
            return place | {"joined_at": 0, "read_seq": 0}

        def event(conv: int, seq: int) -> dict[str, Any]:
            place = {"conversation_id": conv, "seq": seq, "at": conv, "type": "message"}
            return place | {"user_id": 2, "text": "tomato", "folded": "tomato"}

        places = [member(conv, 1, "member") for conv in convs]
        places += [
            member(1, user, "owner" if user == 9 else "member") for user in range(2, 2 + count)
        ]
        places += [member(conv, other, "member") for conv, other in private.items()]
        written = [event(1, seq) for seq in range(1, count + 1)]
        written += [event(conv, 1) for conv in convs if conv > 1]
        marks = [
            {"user_id": 1, "other_id": user, "blocked": False, "at": 0}
            for user in range(2, count + 2)
        ]

        def fill(connection: sa.Connection) -> None:
            for table, rows in (
                (users, people),
                (conversation_rows, [conversation(conv) for conv in convs]),
                (member_rows, places),
                (event_rows, written),
                (contact_rows, marks),
            ):
                connection.execute(table.insert(), rows)

        await self.chat.database.write(fill)

    async def pages(self, person: Person, path: str, cursor: str) -> list[list[dict[str, Any]]]:
        """Return all pages of a list, whose name is the first one in the answer."""
        found: list[list[dict[str, Any]]] = []
        place: Any = None
        while place is not None or not found:
            more = "" if place is None else f"{'&' if '?' in path else '?'}{cursor}={place}"
            code, answer = await person.call("GET", path + more)
            self.assertEqual(code, 200, answer)
            found.append(next(value for value in answer.values() if isinstance(value, list)))
            place = answer["next"]
            self.assertLess(len(found), 50, "the pages go round")
        return found


class EveryReadTest(Populated):
    """Walks the routes, so that a new one cannot be forgotten."""

    def reads(self) -> set[str]:
        """Return a path for each route that answers GET."""
        paths = set()
        for route in ROUTES:
            if self.answers_get(route.target):
                path = route.regex.pattern.rstrip("$").replace(r"(\d{1,15})", "1")
                path = path.replace("([0-9a-f]{32})", "{hex}").replace("(png|wav)", "png")
                paths.add(path.replace("\\", ""))
        return paths

    def answers_get(self, handler: type) -> bool:
        return any(
            "get" in vars(base)
            and base.__module__.startswith(("capstone_chat", "tornado.websocket"))
            for base in handler.__mro__
        )

    def test_every_read_states_its_bound(self) -> None:
        self.assertEqual(self.reads(), PAGES.keys())

    @tornado.testing.gen_test
    async def test_no_answer_is_larger_than_its_page(self) -> None:
        for _ in range(sessions.MAX_SESSIONS + 5):
            await self.enter(self.anna)
        for path, bounds in PAGES.items():
            if not isinstance(bounds, dict):
                continue
            query = "?query=tomato" if path.endswith("search") else "?query=garden"
            for more in "", query, "?limit=100000":
                with self.subTest(path=path, more=more):
                    code, answer = await self.anna.call("GET", path + more)
                    self.assertEqual(code, 200, answer)
                    sizes = {
                        name: len(value)
                        for name, value in answer.items()
                        if isinstance(value, list)
                    }
                    self.assertEqual(sizes.keys(), bounds.keys())
                    for name, size in sizes.items():
                        self.assertLessEqual(size, bounds[name], name)

    @tornado.testing.gen_test
    async def test_every_read_of_a_user_has_a_rate_limit(self) -> None:
        self.chat.read_limiter.burst = 0
        for path in PAGES.keys() - UNLIMITED.keys() - BY_ADDRESS:
            with self.subTest(path=path):
                headers = self.anna.handshake() if path == "/ws" else {}
                answer = await self.anna.fetch(path.format(hex="0" * 32), headers=headers)
                self.assertEqual(answer.code, 429)
                self.assertEqual(answer.headers["Retry-After"], "5")

    @tornado.testing.gen_test
    async def test_every_read_without_a_user_has_a_rate_limit(self) -> None:
        self.chat.request_limiter.burst = 0
        stranger = Person(self, "nobody")
        for path in BY_ADDRESS:
            with self.subTest(path=path):
                answer = await stranger.fetch(path.format(hex="0" * 32))
                self.assertEqual(answer.code, 429)

    def test_a_new_read_of_the_api_has_the_limit_by_itself(self) -> None:
        for route in ROUTES:
            path = route.regex.pattern
            if path.startswith("/api/") and path != "/api/names$":
                self.assertTrue(issubclass(route.target, ApiHandler), path)


class PagesTest(Populated):
    @tornado.testing.gen_test
    async def test_the_pages_of_a_list_hold_everything_once(self) -> None:
        for path, cursor, identity, count in (
            ("/api/conversations", "before", "id", 2 * MANY),
            ("/api/conversations?query=GARDEN", "before", "id", MANY),
            ("/api/conversations?query=nick", "before", "id", MANY),
            ("/api/conversations/1/members", "after", "id", MANY + 1),
            ("/api/conversations/1/members?query=user0", "after", "id", MANY),
            ("/api/conversations/1/search?query=Tomato", "before", "seq", MANY),
            ("/api/contacts", "after", "id", MANY),
            ("/api/groups?query=den+0", "after", "id", MANY),
        ):
            with self.subTest(path=path):
                pages = await self.pages(self.anna, path, cursor)
                self.assertGreater(len(pages), 1)
                ids = [one[identity] for page in pages for one in page]
                self.assertEqual(len(set(ids)), count)
                self.assertEqual(len(ids), count)

    @tornado.testing.gen_test
    async def test_the_liveliest_conversations_come_first(self) -> None:
        pages = await self.pages(self.anna, "/api/conversations", "before")
        ids = [one["id"] for page in pages for one in page]
        self.assertEqual(ids, sorted(ids, reverse=True))
        _, state = await self.anna.call("GET", "/api/state")
        self.assertEqual(
            [one["id"] for one in state["conversations"]], ids[: conversations.MAX_PAGE_SIZE]
        )
        line = await self.anna.connect()
        await line.send(2, "The tomatoes are ready.")
        await line.receive("ack")
        _, state = await self.anna.call("GET", "/api/state")
        self.assertEqual([one["id"] for one in state["conversations"]][:2], [2, ids[0]])

    @tornado.testing.gen_test
    async def test_conversations_with_the_same_time_are_on_one_page_each(self) -> None:
        same = event_rows.update().values(at=7)
        await self.chat.database.write(lambda connection: connection.execute(same))
        pages = await self.pages(self.anna, "/api/conversations", "before")
        ids = [one["id"] for page in pages for one in page]
        self.assertEqual(ids, list(range(2 * MANY, 0, -1)))

    @tornado.testing.gen_test
    async def test_members_come_by_role_and_nickname_also_when_the_last_one_leaves(self) -> None:
        code, first = await self.anna.call("GET", "/api/conversations/1/members")
        self.assertEqual(code, 200)
        self.assertEqual(
            [one["name"] for one in first["members"][:3]], ["user0009", "anna", "user0002"]
        )
        gone = member_rows.delete().where(member_rows.c.user_id == first["next"])
        await self.chat.database.write(lambda connection: connection.execute(gone))
        path = f"/api/conversations/1/members?after={first['next']}"
        _, second = await self.anna.call("GET", path)
        names = [one["nickname"] for one in first["members"][1:] + second["members"]]
        self.assertEqual(names, sorted(names))
        self.assertEqual(len(set(names)), len(names))

    @tornado.testing.gen_test
    async def test_one_member_and_one_conversation_are_found_by_name(self) -> None:
        _, found = await self.anna.call("GET", "/api/conversations/1/members?query=USER0100")
        self.assertEqual([one["id"] for one in found["members"]], [100])
        for query, title in ("den+0007", "Garden 0007"), ("GARDEN+0012", "Garden 0012"):
            _, found = await self.anna.call("GET", f"/api/conversations?query={query}")
            self.assertEqual([one["title"] for one in found["conversations"]], [title])
        _, found = await self.anna.call("GET", "/api/conversations?query=user0100")
        self.assertEqual([one["peer"]["id"] for one in found["conversations"]], [100])
        rename = users.update().where(users.c.id == 100).values(nickname="Жанна")
        await self.chat.database.write(lambda connection: connection.execute(rename))
        _, found = await self.anna.call("GET", "/api/conversations?query=%D0%B6%D0%B0%D0%BD")
        self.assertEqual([one["peer"]["id"] for one in found["conversations"]], [100])

    @tornado.testing.gen_test
    async def test_a_cursor_that_is_none_is_refused(self) -> None:
        for path, value in (
            *(("/api/conversations?before", wrong) for wrong in ("x", "1", "1-", "-1", "1-2-3")),
            ("/api/conversations?before", "9" * 16 + "-1"),
            ("/api/conversations?before", "%D9%A1-1"),
            ("/api/conversations/1/members?after", "x"),
            ("/api/contacts?after", "-1"),
            ("/api/groups?after", "1.5"),
        ):
            with self.subTest(path=path, value=value):
                code, answer = await self.anna.call("GET", f"{path}={value}")
                self.assertEqual((code, answer["error"]["code"]), (400, "bad_field"))
        for path in (
            "/api/conversations/1/members?after",
            "/api/contacts?after",
            "/api/groups?after",
        ):
            code, _ = await self.anna.call("GET", f"{path}={'9' * 15}")
            self.assertEqual(code, 200)

    @tornado.testing.gen_test
    async def test_a_stranger_sees_no_page(self) -> None:
        mallory = await self.stranger("mallory")
        for path in "members?query=user", "members?after=5", "search?query=tomato", "events":
            self.assertEqual((await mallory.call("GET", f"/api/conversations/1/{path}"))[0], 404)
        _, found = await mallory.call("GET", "/api/conversations?query=garden")
        self.assertEqual(found, {"conversations": [], "next": None})

    async def stranger(self, name: str) -> Person:
        """Return somebody with an id that no row of `populate` has."""
        row = {"id": 9999, "name": name, "name_key": name, "nickname": name, "password": ""}
        insert = users.insert().values(**row, created_at=0)
        await self.chat.database.write(lambda connection: connection.execute(insert))
        person = Person(self, name)
        person.id = 9999
        await self.enter(person)
        return person


class CostTest(Populated):
    async def gather(self) -> None:
        self.anna = await self.person("anna", "Anna")

    @tornado.testing.gen_test
    async def test_statements_do_not_grow_with_the_number_of_rows(self) -> None:
        paths = [path for path, bounds in PAGES.items() if isinstance(bounds, dict)]
        asked: list[dict[str, list[Any]]] = []
        for count in 8, MANY:
            asked.append({})
            await self.empty()
            await self.populate(count)
            for path in paths:
                query = "?query=none" if path.endswith(("search", "groups")) else ""
                with noted_statements(self.chat.database.engine) as said:
                    await self.anna.call("GET", path + query)
                asked[-1][path] = said
        for path in paths:
            few, many = asked[0][path], asked[1][path]
            self.assertEqual(len(few), len(many), path)
            self.assertGreater(len(few), 1, path)

    @tornado.testing.gen_test
    async def test_the_database_is_asked_for_a_page_and_not_for_all(self) -> None:
        await self.populate(8)
        for path in (
            *("/api/conversations", "/api/contacts", "/api/conversations/1/members"),
            *("/api/conversations/1/events", "/api/conversations/1/search?query=tomato"),
            *("/api/groups", "/api/me/sessions"),
        ):
            with noted_statements(self.chat.database.engine) as said:
                await self.anna.call("GET", path)
            self.assertTrue(any("LIMIT" in statement for statement, _ in said), path)

    async def empty(self) -> None:
        """Delete all but Anna and her session."""

        def delete(connection: sa.Connection) -> None:
            for table in contact_rows, event_rows, member_rows, conversation_rows:
                connection.execute(table.delete())
            connection.execute(users.delete().where(users.c.id > 1))

        await self.chat.database.write(delete)

    @tornado.testing.gen_test
    async def test_a_search_compares_a_bounded_number_of_messages(self) -> None:
        await self.populate(20)
        last = event_rows.update().where(event_rows.c.seq == 1, event_rows.c.conversation_id == 1)
        await self.chat.database.write(
            lambda connection: connection.execute(last.values(text="pear", folded="pear"))
        )
        with mock.patch.object(event_log, "MAX_EXAMINED", 6):
            answers = []
            before = ""
            while True:
                path = f"/api/conversations/1/search?query=pear{before}"
                _, answer = await self.anna.call("GET", path)
                answers.append([one["seq"] for one in answer["events"]])
                if answer["next"] is None:
                    break
                before = f"&before={answer['next']}"
        self.assertEqual(answers, [[], [], [], [1]])

    @tornado.testing.gen_test
    async def test_a_search_for_groups_compares_a_bounded_number_of_titles(self) -> None:
        await self.populate(20)
        with mock.patch.object(groups, "MAX_EXAMINED", 6):
            pages = await self.pages(self.anna, "/api/groups?query=den+00", "after")
            self.assertEqual([len(page) for page in pages], [6, 6, 6, 2])
            # What begins with the query is found at once, however many titles come before it.
            pages = await self.pages(self.anna, "/api/groups?query=garden+0015", "after")
            self.assertEqual([one["id"] for one in pages[0]], [15])


class LimitsTest(ChatCase):
    @tornado.testing.gen_test
    async def test_a_user_has_so_many_groups_and_no_more(self) -> None:
        anna, bob = await self.person("anna"), await self.person("bob")
        theirs = await bob.group()
        with mock.patch.object(membership, "MAX_GROUPS", 2):
            mine = [await anna.group(), await anna.group()]
            body = {"title": "Orchard", "description": ""}
            for method, path, given in (
                ("POST", "/api/groups", body),
                ("POST", f"/api/groups/{theirs}/join", None),
            ):
                code, answer = await anna.call(method, path, given)
                self.assertEqual((code, answer["error"]["code"]), (403, "too_many"))
            await anna.call(
                "POST", "/api/contacts", {"name": "bob"}
            )  # or it would be an invitation
            code, answer = await bob.call("POST", f"/api/groups/{theirs}/members", {"name": "anna"})
            self.assertEqual((code, answer["error"]["code"]), (403, "too_many"))
            await anna.join(mine[0])  # a member already
            await anna.call("DELETE", f"/api/groups/{mine[0]}/members/{anna.id}")
            await anna.join(theirs)

    @tornado.testing.gen_test
    async def test_a_group_has_so_many_members_and_no_more(self) -> None:
        anna, bob, carl = [await self.person(name) for name in ("anna", "bob", "carl")]
        conv = await anna.group()
        with mock.patch.object(membership, "MAX_MEMBERS", 2):
            await bob.join(conv)
            code, answer = await carl.call("POST", f"/api/groups/{conv}/join")
            self.assertEqual((code, answer["error"]["code"]), (403, "too_many"))
            await carl.call("POST", "/api/contacts", {"name": "anna"})  # or it is an invitation
            code, answer = await anna.call("POST", f"/api/groups/{conv}/members", {"name": "carl"})
            self.assertEqual((code, answer["error"]["code"]), (403, "too_many"))
            await bob.call("DELETE", f"/api/groups/{conv}/members/{bob.id}")
            await carl.join(conv)

    @tornado.testing.gen_test
    async def test_neither_of_two_has_more_private_chats_than_the_limit(self) -> None:
        anna, bob, carl = [await self.person(name) for name in ("anna", "bob", "carl")]
        for person, name in (anna, "bob"), (anna, "carl"), (carl, "bob"), (bob, "carl"):
            await person.call("POST", "/api/contacts", {"name": name})
        with mock.patch.object(membership, "MAX_PRIVATE_CHATS", 1):
            self.assertEqual((await anna.call("POST", f"/api/private/{bob.id}"))[0], 200)
            for person, other in (anna, carl), (carl, bob), (bob, carl):
                code, answer = await person.call("POST", f"/api/private/{other.id}")
                self.assertEqual((code, answer["error"]["code"]), (403, "too_many"))
            # One that is there already is opened, and groups count apart.
            self.assertEqual((await anna.call("POST", f"/api/private/{bob.id}"))[0], 200)
            await anna.group()

    @tornado.testing.gen_test
    async def test_a_contact_list_is_full_at_the_limit_and_blocking_counts_apart(self) -> None:
        anna = await self.person("anna")
        conv = await anna.group()
        for name in "bob", "carl", "dora":  # anna knows their ids from the group
            await (await self.person(name)).join(conv)
        with mock.patch.object(contacts, "MAX_CONTACTS", 1):
            path = f"/api/contacts/{anna.id + 2}"
            code, _ = await anna.call("POST", "/api/contacts", {"name": "bob"})
            self.assertEqual(code, 201)
            for method, where, body in (
                ("POST", "/api/contacts", {"name": "carl"}),
                ("PUT", path, {"blocked": False}),
            ):
                code, answer = await anna.call(method, where, body)
                self.assertEqual((code, answer["error"]["code"]), (403, "too_many"))
            code, answer = await anna.call("PUT", path, {"blocked": True})
            self.assertEqual((code, answer["contact"]["blocked"]), (200, True))
            code, _ = await anna.call("POST", "/api/contacts", {"name": "bob"})  # again
            self.assertEqual(code, 201)
            code, answer = await anna.call("PUT", f"/api/contacts/{anna.id + 3}", {"blocked": True})
            self.assertEqual((code, answer["error"]["code"]), (403, "too_many"))

    @tornado.testing.gen_test
    async def test_a_further_session_ends_the_one_that_was_not_used_for_longest(self) -> None:
        anna = await self.person("anna")
        oldest = await anna.connect()
        with mock.patch.object(sessions, "MAX_SESSIONS", 3):
            browsers = [await self.another_browser(anna) for _ in range(2)]
            self.assertEqual(await oldest.heard(), [])
            login = await self.chat.accounts.log_in("anna", PASSWORD, "a browser")
            assert login is not None
            browsers.append(Person(self, "anna"))
            self.set_session(browsers[-1], login.token)
            async with asyncio.timeout(LESS_THAN_A_PING):
                self.assertEqual(await oldest.closed(), 3500)
            self.assertEqual((await anna.call("GET", "/api/me/sessions"))[0], 401)
            for browser in browsers:
                _, answer = await browser.call("GET", "/api/me/sessions")
                self.assertEqual(len(answer["sessions"]), 3)

    @tornado.testing.gen_test
    async def test_a_greeting_names_a_bounded_number_of_contacts(self) -> None:
        anna = await self.person("anna")
        for name in "bob", "carl":
            person = await self.person(name)
            await person.connect()
            await anna.call("POST", "/api/contacts", {"name": name})
        with mock.patch.object(contacts, "MAX_CONTACTS", 1):
            self.assertEqual((await anna.connect()).hello["online"], [2])


class InFlightTest(ChatCase):
    @tornado.testing.gen_test
    async def test_few_reads_of_a_user_run_at_once_and_the_others_wait(self) -> None:
        anna, bob = await self.person("anna"), await self.person("bob")
        running = most = 0
        go = asyncio.Event()
        real = self.chat.conversations.list_for

        async def held(*arguments: Any, **more: Any) -> Any:
            nonlocal running, most
            running += 1
            most = max(most, running)
            await go.wait()
            running -= 1
            return await real(*arguments, **more)

        with mock.patch.object(self.chat.conversations, "list_for", held):
            reads = [asyncio.ensure_future(anna.call("GET", "/api/state")) for _ in range(6)]
            await self.until(lambda: running == 2)
            # Somebody else's are not held up.
            other = asyncio.ensure_future(bob.call("GET", "/api/contacts"))
            self.assertEqual((await other)[0], 200)
            self.assertEqual(running, 2)
            go.set()
            self.assertEqual([code for code, _ in await asyncio.gather(*reads)], [200] * 6)
        self.assertEqual(most, 2)
        self.assertEqual(self.chat.read_slots._slots, {})

    @tornado.testing.gen_test
    async def test_a_read_that_fails_frees_its_place(self) -> None:
        anna = await self.person("anna")
        for _ in range(5):
            self.assertEqual((await anna.call("GET", "/api/conversations/77"))[0], 404)
            self.assertEqual((await anna.call("GET", "/api/contacts?after=x"))[0], 400)
        self.assertEqual(self.chat.read_slots._slots, {})

    @tornado.testing.gen_test
    async def test_a_wait_that_is_cancelled_takes_no_place(self) -> None:
        slots = ConcurrencyLimiter(1)
        await slots.acquire("anna")
        waiting = asyncio.ensure_future(slots.acquire("anna"))
        await asyncio.sleep(0)
        waiting.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await waiting
        slots.release("anna")
        self.assertEqual(slots._slots, {})
        await asyncio.wait_for(slots.acquire("anna"), 60)
