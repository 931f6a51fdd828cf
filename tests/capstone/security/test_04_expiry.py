"""Sessions end, unused or in the end, on open sockets too; a new password ends the others."""

from typing import ClassVar
from unittest import mock

import sqlalchemy as sa
import tornado.httpclient
import tornado.tcpclient
import tornado.testing
import tornado.web

from capstone_chat.handlers.websocket import ChatSocketHandler
from capstone_chat.storage.tables import sessions, users
from tests.capstone.chat_case import PASSWORD, ChatCase, Line, PeopleCase, Person

NEW = "a staple for the horse"


class ExpiryCase(ChatCase):
    """The server pings its sockets often, and each pong makes it look at the session."""

    options = {"ping_interval": 1.0, "ping_timeout": 1.0}  # noqa: RUF012

    async def open(self) -> Line:
        self.anna = await self.person("anna")
        return await self.anna.connect()

    async def change(self, **values: int) -> None:
        change = sessions.update().values(**values)
        await self.chat.database.write(lambda connection: connection.execute(change))


class ExpiryTest(ExpiryCase):
    @tornado.testing.gen_test
    async def test_an_unused_session_ends_on_an_open_socket(self) -> None:
        line = await self.open()
        await self.change(seen_at=0)
        self.assertEqual(await line.closed(), 3500)

    @tornado.testing.gen_test
    async def test_the_absolute_end_holds_on_an_open_socket(self) -> None:
        line = await self.open()
        await self.change(created_at=0)
        self.assertEqual(await line.closed(), 3500)

    @tornado.testing.gen_test
    async def test_a_session_that_another_process_ended_is_noticed_without_the_bus(self) -> None:
        line = await self.open()
        await self.chat.database.write(lambda c: c.execute(sessions.delete()))
        self.assertEqual(await line.closed(), 3500)

    @tornado.testing.gen_test
    async def test_a_user_whom_the_operator_disables_is_out(self) -> None:
        line = await self.open()
        change = users.update().values(disabled_at=1)
        await self.chat.database.write(lambda connection: connection.execute(change))
        self.assertEqual(await line.closed(), 3500)
        self.assertEqual((await self.anna.fetch("/api/state")).code, 401)


class UseTest(ChatCase):
    @tornado.testing.gen_test
    async def test_messages_keep_a_session_alive_and_an_open_page_alone_does_not(self) -> None:
        anna = await self.person("anna")
        conv = await anna.group()
        line = await anna.connect()
        (handler,) = self.chat.hub._subscriptions
        assert isinstance(handler, ChatSocketHandler)

        async def seen_at() -> int:
            row = await self.chat.database.read(lambda c: c.execute(sessions.select()).one())
            return int(row.seen_at)

        start, before = self.chat.sessions._clock(), await seen_at()
        self.chat.sessions._clock = lambda: start + 90_000
        await line.say(type="read", conv=conv, seq=1)
        await line.heard()
        await handler.revalidate_session()
        self.assertEqual(await seen_at(), before)
        await line.send(conv, "hi")
        await line.receive("ack")
        await handler.revalidate_session()
        self.assertEqual(await seen_at(), start + 90_000)
        self.chat.sessions._clock = lambda: start + 180_000
        await handler.revalidate_session()  # nothing was written since
        self.assertEqual(await seen_at(), start + 90_000)


class OutageTest(ChatCase):
    """A database that does not answer ends no session."""

    away: ClassVar = sa.exc.OperationalError("", {}, Exception("away"))

    async def open(self) -> tuple[Line, ChatSocketHandler]:
        self.anna = await self.person("anna")
        line = await self.anna.connect()
        (handler,) = self.chat.hub._subscriptions
        assert isinstance(handler, ChatSocketHandler)
        return line, handler

    @tornado.testing.gen_test
    async def test_a_connection_stays_open_and_the_next_pong_checks_its_session(self) -> None:
        line, handler = await self.open()
        handler.active_since_check = True
        with (
            mock.patch.object(self.chat.sessions, "get", side_effect=self.away),
            self.assertLogs("capstone_chat", "ERROR") as logged,
        ):
            await handler.revalidate_session()
        self.assertIn("a session was not read", logged.output[0])
        self.assertTrue(handler.active_since_check, "its use is stored with the next check")
        await line.heard()
        await self.chat.database.write(lambda c: c.execute(sessions.delete()))
        await handler.revalidate_session()
        self.assertEqual(await line.closed(), 3500)

    @tornado.testing.gen_test
    async def test_a_connection_keeps_its_subscriptions(self) -> None:
        line, handler = await self.open()
        conv = await self.anna.group()
        with (
            mock.patch.object(self.chat.contacts, "presence_visible_to", side_effect=self.away),
            self.assertLogs("capstone_chat", "ERROR") as logged,
        ):
            await handler.resync_subscriptions()
        self.assertIn("were not read", logged.output[0])
        await line.send(conv, "still here")
        self.assertEqual((await line.receive("message"))["text"], "still here")

    @tornado.testing.gen_test
    async def test_a_full_disk_stops_nobody_who_only_reads(self) -> None:
        anna = await self.person("anna")
        later = self.chat.sessions._clock() + 90_000
        self.chat.sessions._clock = lambda: later
        with (
            mock.patch.object(self.chat.sessions, "_touch", side_effect=self.away),
            self.assertLogs("capstone_chat", "ERROR") as logged,
        ):
            self.assertEqual((await anna.fetch("/api/state")).code, 200)
        self.assertIn("the use of a session was not stored", logged.output[0])


class ExpiredCookieTest(ChatCase):
    @tornado.testing.gen_test
    async def test_an_expired_session_is_refused_by_pages_calls_and_sockets(self) -> None:
        anna = await self.person("anna")
        aged = sessions.update().values(seen_at=0)
        await self.chat.database.write(lambda connection: connection.execute(aged))
        self.assertEqual((await anna.fetch("/")).code, 302)
        self.assertEqual((await anna.fetch("/api/state")).code, 401)
        with self.assertRaises(tornado.httpclient.HTTPClientError) as caught:
            await anna.open_socket()
        self.assertEqual(caught.exception.code, 401)


class PasswordTest(PeopleCase):
    time = 1_795_000_000_000  # milliseconds since 1970

    async def change(self, old: str, new: str) -> tuple[int, str]:
        body = {"old": old, "new": new}
        code, answer = await self.anna.call("PUT", "/api/me/password", body)
        return code, answer.get("error", {}).get("field", "")

    @tornado.testing.gen_test
    async def test_the_new_one_lets_in_and_the_old_one_does_not(self) -> None:
        self.assertEqual(await self.change(PASSWORD, NEW), (204, ""))
        self.assertEqual((await Person(self, "anna").login()).code, 400)
        self.assertEqual((await Person(self, "anna").login(password=NEW)).code, 303)

    @tornado.testing.gen_test
    async def test_other_sessions_and_their_sockets_end_and_this_one_goes_on(self) -> None:
        phone = await self.another_browser(self.anna)
        here, there, bobs = [await p.connect() for p in (self.anna, phone, self.bob)]
        await self.change(PASSWORD, NEW)
        self.assertEqual(await there.closed(), 3500)
        self.assertEqual((await phone.fetch("/api/state")).code, 401)
        self.assertEqual((await self.anna.call("GET", "/api/state"))[0], 200)
        for line in here, bobs:
            await line.heard()

    @tornado.testing.gen_test
    async def test_the_old_one_is_asked_for_and_the_new_one_has_to_be_good(self) -> None:
        phone = await self.another_browser(self.anna)
        for old, new, field in (
            ("not the old one", NEW, "old"),
            ("", NEW, "old"),
            ("half \ud83e of a duck", NEW, "old"),
            (PASSWORD, "short", "new"),
            (PASSWORD, "password", "new"),
            (PASSWORD, "x" * 129, "new"),
            (PASSWORD, "half \ud83e of a duck", "new"),
            (PASSWORD, "a bell \x07 of a duck", "new"),
        ):
            with self.subTest(old=old, new=new):
                self.assertEqual(await self.change(old, new), (400, field))
        self.assertEqual((await phone.fetch("/api/state")).code, 200)

    @tornado.testing.gen_test
    async def test_guessing_at_an_open_page_is_slowed_down(self) -> None:
        # Time stands still: on a busy machine six hashes take longer than the first wait.
        self.chat.login_throttle._clock = lambda: self.time
        codes = [(await self.change("a guess", NEW))[0] for _ in range(6)]
        self.assertEqual(codes, [400] * 5 + [429])
        self.assertEqual((await self.change(PASSWORD, NEW))[0], 429)
        # Who logs in elsewhere is not in the way.
        self.assertEqual((await Person(self, "anna").login()).code, 303)
