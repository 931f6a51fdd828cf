"""What people change about themselves: profile, picture, password, sessions, the account."""

from typing import Any

import sqlalchemy as sa
import tornado.httpclient
import tornado.tcpclient
import tornado.testing

from capstone_chat.storage.tables import sessions, users
from tests.capstone.chat_case import PASSWORD, PeopleCase, Person

NEW = "a staple for the horse"


class MeTest(PeopleCase):
    @tornado.testing.gen_test
    async def test_nickname_language_and_theme_are_kept(self) -> None:
        body = {"nickname": " Anna B. ", "language": "ru", "theme": "dark"}
        code, answer = await self.anna.call("PATCH", "/api/me", body)
        expected = {
            "id": 1,
            "nickname": "Anna B.",
            "picture": None,
            "name": "anna",
            "language": "ru",
            "theme": "dark",
        }
        self.assertEqual((code, answer), (200, {"user": expected}))
        self.assertEqual(await self.anna.me(), expected)
        line = await self.anna.connect()
        self.assertEqual(line.hello["user"], expected)
        conv = await self.anna.group()
        _, answer = await self.anna.call("GET", f"/api/conversations/{conv}/events")
        self.assertEqual(answer["events"][0]["from"]["nickname"], "Anna B.")

    @tornado.testing.gen_test
    async def test_a_change_is_sent_once_to_the_connections_of_the_user_alone(self) -> None:
        lines = [await self.anna.connect(), await self.anna.connect(), await self.bob.connect()]
        for names in ("Anna B.",), ("Anna B.", "Anna C."):  # the same name again is no change
            for name in names:
                await self.anna.call("PATCH", "/api/me", {"nickname": name})
            for line in lines[:2]:
                self.assertEqual((await line.receive("user"))["user"]["nickname"], names[-1])
        await lines[2].heard()
        self.assertNotIn("user", {event["type"] for event in lines[2].seen})

    @tornado.testing.gen_test
    async def test_each_can_be_changed_alone_and_be_left_to_the_browser_again(self) -> None:
        for body in {"language": "zh_CN"}, {"theme": "light"}, {"language": "", "theme": ""}, {}:
            code, _ = await self.anna.call("PATCH", "/api/me", body)
            self.assertEqual(code, 200)
        me = await self.anna.me()
        self.assertEqual((me["nickname"], me["language"], me["theme"]), ("Anna", "", ""))

    @tornado.testing.gen_test
    async def test_wrong_fields_are_named_and_nothing_is_changed(self) -> None:
        before = await self.anna.me()
        wrong: list[tuple[dict[str, Any], str]] = [
            ({"nickname": ""}, "nickname"),
            ({"nickname": "x" * 41}, "nickname"),
            ({"nickname": "an\u202ena"}, "nickname"),
            ({"nickname": "\u3164"}, "nickname"),
            ({"nickname": None}, "nickname"),
            ({"language": "de"}, "language"),
            ({"language": "../../etc/passwd"}, "language"),
            ({"theme": "pink"}, "theme"),
            ({"theme": 7}, "theme"),
            ({"nickname": "Fine", "theme": '" onload="x'}, "theme"),
        ]
        for body, field in wrong:
            with self.subTest(**body):
                code, answer = await self.anna.call("PATCH", "/api/me", body)
                self.assertEqual((code, answer["error"]["field"]), (400, field))
        self.assertEqual(await self.anna.me(), before)


class SessionsTest(PeopleCase):
    async def sessions(self, person: Person) -> list[dict[str, Any]]:
        _, answer = await person.call("GET", "/api/me/sessions")
        return list(answer["sessions"])

    @tornado.testing.gen_test
    async def test_they_are_listed_with_the_one_that_asks(self) -> None:
        phone = Person(self, "anna")
        hidden = await phone.hidden_fields("/login")
        fields = {
            "name": "anna",
            "password": PASSWORD,
            "captcha": self.answer(hidden["captcha_id"]),
        }
        headers = {"User-Agent": "A phone <script>"}
        await phone.submit("/login", hidden | fields, headers=headers)
        found = await self.sessions(phone)
        self.assertEqual({one["agent"] for one in found}, {"a browser", "A phone <script>"})
        current = [one for one in found if one["current"]]
        self.assertEqual([one["agent"] for one in current], ["A phone <script>"])
        keys = {"id", "created_at", "seen_at", "agent", "current"}
        self.assertEqual([set(one) for one in found], [keys, keys])  # no token, no hash
        self.assertEqual(len(await self.sessions(self.bob)), 1)

    @tornado.testing.gen_test
    async def test_one_is_ended_with_its_sockets_and_the_others_go_on(self) -> None:
        phone = await self.another_browser(self.anna)
        here, there = await self.anna.connect(), await phone.connect()
        other = next(one["id"] for one in await self.sessions(self.anna) if not one["current"])
        code, _ = await self.anna.call("DELETE", f"/api/me/sessions/{other}")
        self.assertEqual((code, await there.closed()), (204, 3500))
        self.assertEqual((await phone.fetch("/api/state")).code, 401)
        await here.heard()
        code, answer = await self.anna.call("DELETE", f"/api/me/sessions/{other}")
        self.assertEqual((code, answer["error"]["code"]), (404, "not_found"))

    @tornado.testing.gen_test
    async def test_nobody_ends_a_session_of_somebody_else(self) -> None:
        line = await self.bob.connect()
        bobs = (await self.sessions(self.bob))[0]["id"]
        answers = [await self.anna.call("DELETE", f"/api/me/sessions/{one}") for one in (bobs, 999)]
        self.assertEqual(answers[0][0], 404)
        self.assertEqual(answers[0], answers[1])
        await line.heard()

    @tornado.testing.gen_test
    async def test_those_that_have_expired_are_not_listed(self) -> None:
        await self.another_browser(self.anna)
        old = sessions.update().where(sessions.c.id == 3).values(seen_at=0)
        await self.chat.database.write(lambda connection: connection.execute(old))
        self.assertEqual([one["id"] for one in await self.sessions(self.anna)], [1])


class DeletionTest(PeopleCase):
    @tornado.testing.gen_test
    async def test_the_password_is_asked_for_once_more(self) -> None:
        for body in {}, {"password": ""}, {"password": "not the old one"}:
            code, answer = await self.anna.call("DELETE", "/api/me", body)
            self.assertEqual((code, answer["error"]["field"]), (400, "password"))
        self.assertEqual((await self.anna.me())["name"], "anna")

    @tornado.testing.gen_test
    async def test_the_account_is_gone_and_its_messages_stay(self) -> None:
        conv = await self.anna.group()
        await self.bob.join(conv)
        phone = await self.another_browser(self.anna)
        lines = [await self.anna.connect(), await phone.connect()]
        await lines[0].send(conv, "remember me")
        await lines[0].receive("ack")
        code, _ = await self.anna.call("DELETE", "/api/me", {"password": PASSWORD})
        self.assertEqual(code, 204)
        self.assertEqual([await line.closed() for line in lines], [3500, 3500])
        for person in self.anna, phone:
            self.assertEqual((await person.fetch("/api/state")).code, 401)
        self.assertEqual((await Person(self, "anna").login()).code, 400)
        _, answer = await self.bob.call("GET", f"/api/conversations/{conv}/events")
        message = next(one for one in answer["events"] if one["type"] == "message")
        nobody = {"id": 1, "nickname": "deleted user", "picture": None}
        self.assertEqual((message["text"], message["from"]), ("remember me", nobody))

    @tornado.testing.gen_test
    async def test_nothing_is_left_of_it_but_its_number(self) -> None:
        await self.anna.call("POST", "/api/contacts", {"name": "bob"})
        await self.bob.call("POST", "/api/contacts", {"name": "anna"})
        await self.anna.call("DELETE", "/api/me", {"password": PASSWORD})
        _, answer = await self.bob.call("GET", "/api/contacts")
        self.assertEqual(answer["contacts"], [])
        with self.chat.database.engine.connect() as connection:
            row = connection.execute(sa.select(users).where(users.c.id == 1)).one()
            kept = connection.scalars(sa.select(sessions.c.user_id)).all()
        self.assertEqual(kept, [2])
        self.assertNotIn("anna", str(row).lower())
        self.assertEqual(row.password, "")

    @tornado.testing.gen_test
    async def test_the_name_is_free_again(self) -> None:
        await self.anna.call("DELETE", "/api/me", {"password": PASSWORD})
        again = await self.person("anna")
        self.assertEqual(again.id, 3)
        _, state = await again.call("GET", "/api/state")
        self.assertEqual(state["conversations"], [])
