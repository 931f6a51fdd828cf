"""Registration, login, logout and sessions."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlencode

import sqlalchemy as sa
import tornado.httpclient
import tornado.testing
import tornado.web

from capstone_chat.accounts.accounts import Accounts
from capstone_chat.accounts.passwords import Passwords
from capstone_chat.accounts.sessions import Sessions
from capstone_chat.conversations.users import User
from capstone_chat.handlers.auth import TAKEN
from capstone_chat.realtime.hub import Hub
from capstone_chat.storage.tables import sessions, users
from tests.capstone.chat_case import PASSWORD, ChatCase, DatabaseCase, Person
from tests.capstone.form_pages import errors, fields


class RegisterTest(ChatCase):
    @tornado.testing.gen_test
    async def test_a_new_user_is_logged_in_at_once(self) -> None:
        """C272"""
        anna = Person(self, "anna")
        response = await anna.register("Anna B.")
        self.assertEqual((response.code, response.headers["Location"]), (303, "/"))
        code, state = await anna.call("GET", "/api/state")
        self.assertEqual(code, 200)
        self.assertEqual(
            state["user"],
            {
                "id": 1,
                "nickname": "Anna B.",
                "picture": None,
                "name": "anna",
                "language": "",
                "theme": "",
            },
        )

    @tornado.testing.gen_test
    async def test_an_empty_nickname_is_the_name(self) -> None:
        anna = await self.person("anna", "  ")
        self.assertEqual((await anna.call("GET", "/api/state"))[1]["user"]["nickname"], "anna")

    @tornado.testing.gen_test
    async def test_every_wrong_field_says_so_beside_itself_and_keeps_what_was_typed(self) -> None:
        """C273"""
        letters = "Use letters, digits, dots, dashes and underscores only."
        common = "Too many people use this password. Choose another one."
        unseen = "It has invisible characters."
        wrong: list[tuple[dict[str, str], dict[str, str]]] = [
            ({"name": ""}, {"name": "Use 3 to 32 characters."}),
            ({"name": "ab"}, {"name": "Use 3 to 32 characters."}),
            ({"name": "x" * 33}, {"name": "Use 3 to 32 characters."}),
            ({"name": "<b>anna"}, {"name": letters}),
            ({"name": "an\u200bna"}, {"name": letters}),
            ({"nickname": "x" * 41}, {"nickname": "Use 40 characters or fewer."}),
            ({"nickname": "an\u202ena"}, {"nickname": unseen}),
            (
                {"confirmation": "another one"},
                {"confirmation": "The two passwords are not the same."},
            ),
            ({"confirmation": ""}, {"confirmation": "The two passwords are not the same."}),
            ({"captcha": "?"}, {"captcha": "That was wrong. Here is a new picture."}),
            ({"captcha": ""}, {"captcha": "That was wrong. Here is a new picture."}),
        ]
        for password, problem in (
            ("", "Use 8 characters or more."),
            ("short", "Use 8 characters or more."),
            ("abcd " * 30, "Use 128 characters or fewer."),
            ("password", common),
            ("somebody", "Your password must not be your user name or nickname."),
        ):
            both = {"password": password, "confirmation": password}
            wrong.append((both, {"password": problem}))
        for change, expected in wrong:
            with self.subTest(**change):
                somebody = Person(self, "somebody")
                response = await somebody.register(**{"nickname": "Nick"} | change)
                self.assertEqual(response.code, 400)
                self.assertEqual(errors(response), expected)
                kept = {"name": "somebody", "nickname": "Nick"} | change
                shown = fields(response)
                self.assertEqual(
                    shown["name"], kept["name"].replace("<", "&lt;").replace(">", "&gt;")
                )
                self.assertEqual(shown["nickname"], kept["nickname"])
                self.assertEqual((shown["password"], shown["confirmation"]), ("", ""))
                self.assertEqual(shown["captcha"], "")
                self.assertNotIn(self.cookie_name("session"), somebody.cookies)
        with self.chat.database.engine.connect() as connection:
            self.assertEqual(connection.scalar(sa.select(sa.func.count()).select_from(users)), 0)

    @tornado.testing.gen_test
    async def test_a_password_is_in_no_answer(self) -> None:
        anna = Person(self, "anna")
        response = await anna.register(
            password="my secret words", confirmation="other secret words"
        )
        for secret in b"my secret words", b"other secret words":
            self.assertNotIn(secret, response.body)

    @tornado.testing.gen_test
    async def test_all_errors_are_shown_at_once(self) -> None:
        response = await Person(self, "x").register(
            "n" * 41, password="1", confirmation="2", captcha="?"
        )
        self.assertEqual(
            set(errors(response)), {"name", "nickname", "password", "confirmation", "captcha"}
        )

    @tornado.testing.gen_test
    async def test_a_form_without_any_field_is_an_error_and_no_more(self) -> None:
        anna = Person(self, "anna")
        token = (await anna.hidden_fields("/register"))["_xsrf"]
        response = await anna.submit("/register", {"_xsrf": token})
        self.assertEqual(response.code, 400)
        self.assertEqual(set(errors(response)), {"name", "nickname", "password", "captcha"})

    @tornado.testing.gen_test
    async def test_a_wrong_form_can_be_corrected_and_sent_again(self) -> None:
        anna = Person(self, "anna")
        wrong = await anna.register(password="short", confirmation="short")
        again = fields(wrong)
        again |= {"password": PASSWORD, "confirmation": PASSWORD}
        again |= {"captcha": self.answer(again["captcha_id"])}
        self.assertEqual((await anna.submit("/register", again)).code, 303)

    @tornado.testing.gen_test
    async def test_a_name_typed_with_a_separate_accent_is_the_composed_one(self) -> None:
        jose = await self.person("jose\u0301")
        self.assertEqual((await jose.call("GET", "/api/state"))[1]["user"]["name"], "jos\u00e9")
        self.assertEqual((await Person(self, "jos\u00e9").register()).code, 400)
        self.assertEqual((await Person(self, "Jose\u0301").login()).code, 303)


class LoginTest(ChatCase):
    async def gather(self) -> None:
        await self.person("anna")

    @tornado.testing.gen_test
    async def test_the_right_password_lets_in_however_the_name_is_written(self) -> None:
        """C270"""
        for name in "anna", "ANNA", " Anna ", "ａｎｎａ":
            with self.subTest(name=name):
                anna = Person(self, name)
                response = await anna.login()
                self.assertEqual((response.code, response.headers["Location"]), (303, "/"))
                self.assertEqual((await anna.fetch("/")).code, 200)

    @tornado.testing.gen_test
    async def test_a_wrong_captcha_is_said_before_any_password_is_looked_at(self) -> None:
        for password in PASSWORD, "wrong password":
            anna = Person(self, "anna")
            response = await anna.login(password=password, captcha="?")
            self.assertEqual(response.code, 400)
            self.assertEqual(
                errors(response), {"captcha": "That was wrong. Here is a new picture."}
            )
            self.assertEqual(fields(response)["name"], "anna")
            self.assertEqual(fields(response)["password"], "")
            self.assertNotIn(self.cookie_name("session"), anna.cookies)

    @tornado.testing.gen_test
    async def test_visitors_who_are_logged_in_are_sent_on(self) -> None:
        anna = Person(self, "anna")
        await anna.login()
        for page in "/login", "/register", "/login?next=//evil.example":
            response = await anna.fetch(page)
            self.assertEqual((response.code, response.headers["Location"]), (302, "/"))
        before = anna.cookies[self.cookie_name("session")]
        token = await anna.token()
        response = await anna.submit("/login", {"_xsrf": token, "name": "x", "password": "y"})
        self.assertEqual((response.code, response.headers["Location"]), (302, "/"))
        self.assertEqual(anna.cookies[self.cookie_name("session")], before)


class NamesTest(ChatCase):
    options = {"request_burst": 12, "request_rate": 0.001}  # noqa: RUF012

    async def ask(self, name: str) -> Any:
        response = await Person(self, "x").fetch("/api/names?" + urlencode({"name": name}))
        self.assertEqual(response.code, 200)
        return json.loads(response.body)

    @tornado.testing.gen_test
    async def test_it_tells_free_taken_and_impossible_names_apart(self) -> None:
        self.assertEqual(await self.ask("anna"), {"available": True, "problem": None})
        await self.person("anna")
        taken = {"available": False, "problem": TAKEN}
        for twin in "anna", "ANNA", "ａｎｎａ", " anna ":
            self.assertEqual(await self.ask(twin), taken)
        short = {"available": False, "problem": "Use 3 to 32 characters."}
        self.assertEqual(await self.ask("an"), short)
        self.assertEqual(await self.ask(""), short)

    @tornado.testing.gen_test
    async def test_it_agrees_with_registration_about_separate_accents(self) -> None:
        self.assertEqual(await self.ask("jose\u0301"), {"available": True, "problem": None})


class ThrottleTest(ChatCase):
    options = {"request_burst": 3, "request_rate": 0.001}  # noqa: RUF012

    @tornado.testing.gen_test
    async def test_forms_sent_too_often_are_refused_as_a_page(self) -> None:
        anna = Person(self, "anna")
        token = (await anna.hidden_fields("/login"))["_xsrf"]
        codes = [(await anna.submit("/login", {"_xsrf": token})).code for _ in range(5)]
        self.assertEqual(codes[-1], 429)
        self.assertNotIn(429, codes[:2])
        response = await anna.submit("/register", {"_xsrf": token})
        self.assertEqual(response.code, 429)
        self.assertIn("Wait a moment and try again.", response.body.decode())

    @tornado.testing.gen_test
    async def test_captchas_cannot_be_made_without_end(self) -> None:
        codes = [(await Person(self, "x").fetch("/login")).code for _ in range(5)]
        self.assertEqual(codes, [200, 200, 200, 429, 429])


class SessionTest(DatabaseCase):
    IDLE, LIFETIME = 600, 3600

    def setUp(self) -> None:
        super().setUp()
        self.time = 1_700_000_000_000
        self.sessions = Sessions(
            self.database, Hub(), idle=self.IDLE, lifetime=self.LIFETIME, clock=lambda: self.time
        )
        passwords = Passwords(self.enterContext(ThreadPoolExecutor(1)))
        self.accounts = Accounts(self.database, Hub(), passwords, self.sessions)

    async def begin(self) -> tuple[User, str]:
        login = await self.accounts.register("anna", PASSWORD, "Anna", "a browser")
        return login.user, login.token

    async def start(self, user: User, agent: str) -> str:
        return await self.database.write(lambda c: self.sessions.create(c, user, agent)[0])

    @tornado.testing.gen_test
    async def test_an_unused_session_ends(self) -> None:
        user, token = await self.begin()
        self.time += self.IDLE * 1000 - 1
        session = await self.sessions.get(token)
        assert session is not None
        self.assertEqual(session.user, user)
        self.time += self.IDLE * 1000
        self.assertIsNone(await self.sessions.get(token))

    @tornado.testing.gen_test
    async def test_a_used_session_lives_until_its_absolute_end(self) -> None:
        _user, token = await self.begin()
        start = self.time
        while self.time + 300_000 < start + self.LIFETIME * 1000:
            self.time += 300_000  # half of what would end it
            self.assertIsNotNone(await self.sessions.get(token), (self.time - start) / 1000)
        self.time = start + self.LIFETIME * 1000
        self.assertIsNone(await self.sessions.get(token))

    @tornado.testing.gen_test
    async def test_not_every_request_is_a_write(self) -> None:
        _user, token = await self.begin()

        async def seen() -> int:
            query = sa.select(sessions.c.seen_at)
            return int(await self.database.read(lambda c: c.scalar(query)) or 0)

        start = self.time
        self.time += 60_000
        await self.sessions.get(token)
        self.assertEqual(await seen(), start)
        self.time += 1
        await self.sessions.get(token)
        self.assertEqual(await seen(), start + 60_001)

    @tornado.testing.gen_test
    async def test_an_ended_session_is_gone_and_its_neighbour_is_not(self) -> None:
        user, token = await self.begin()
        other = await self.start(user, "another browser")
        session = await self.sessions.get(token)
        assert session is not None
        self.assertTrue(await self.sessions.revoke(session, session.id))
        self.assertFalse(await self.sessions.revoke(session, session.id))
        self.assertIsNone(await self.sessions.get(token))
        self.assertIsNotNone(await self.sessions.get(other))

    @tornado.testing.gen_test
    async def test_two_sessions_never_share_an_id_and_a_long_agent_is_cut(self) -> None:
        user, token = await self.begin()
        tokens = {token} | {await self.start(user, "x" * 9000) for _ in range(50)}
        self.assertEqual(len(tokens), 51)
        with self.database.engine.connect() as connection:
            longest = connection.scalar(sa.select(sa.func.max(sa.func.length(sessions.c.agent))))
        self.assertEqual(longest, 200)
