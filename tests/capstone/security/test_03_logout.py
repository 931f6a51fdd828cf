"""Logging out kills a copied cookie and closes its sockets."""

import asyncio
from unittest import mock

import tornado.httpclient
import tornado.testing
import tornado.web

from capstone_chat.accounts.sessions import Session
from tests.capstone.chat_case import LESS_THAN_A_PING, ChatCase, Person


class LogoutTest(ChatCase):
    @tornado.testing.gen_test
    async def test_a_copy_of_the_cookie_is_dead(self) -> None:
        anna = await self.person("anna")
        thief = Person(self, "thief")
        thief.cookies = dict(anna.cookies)
        self.assertEqual((await thief.call("GET", "/api/state"))[0], 200)
        response = await anna.log_out()
        self.assertEqual((response.code, response.headers["Location"]), (303, "/login"))
        self.assertNotIn(self.cookie_name("session"), anna.cookies)
        self.assertEqual((await thief.fetch("/api/state")).code, 401)
        self.assertEqual((await thief.fetch("/")).code, 302)

    @tornado.testing.gen_test
    async def test_its_sockets_are_closed_and_those_of_other_sessions_live(self) -> None:
        anna, bob = await self.person("anna"), await self.person("bob")
        phone = Person(self, "anna")
        await phone.login()
        tabs = [await anna.connect(), await anna.connect()]
        others = [await phone.connect(), await bob.connect()]
        await anna.log_out()
        async with asyncio.timeout(LESS_THAN_A_PING):
            for tab in tabs:
                self.assertEqual(await tab.closed(), 3500)
        for line in others:
            await line.say(type="ping")
            await line.receive("pong")

    @tornado.testing.gen_test
    async def test_a_socket_that_ignores_its_end_can_say_nothing_more(self) -> None:
        anna, bob = await self.person("anna"), await self.person("bob")
        conv = await anna.group()
        await bob.join(conv)
        deaf, ear = await anna.connect(), await bob.connect()
        # This client never answers the server's close frame; it goes on writing.
        protocol = deaf.socket.protocol
        assert protocol is not None
        self.enterContext(mock.patch.object(protocol, "_handle_message", return_value=None))
        await anna.log_out()
        await deaf.send(conv, "from beyond the grave")
        own = await bob.connect()
        await own.send(conv, "alive")
        self.assertEqual((await ear.receive("message"))["text"], "alive")

    @tornado.testing.gen_test
    async def test_a_logout_amid_a_handshake_leaves_no_socket_open(self) -> None:
        anna = await self.person("anna")
        token = await anna.token()
        find, seen = self.chat.sessions.get, asyncio.Event()
        go = asyncio.Event()

        async def slow(token: str, *, touch: bool = True) -> Session | None:
            found = await find(token, touch=touch)
            if not seen.is_set():
                seen.set()
                await go.wait()
            return found

        self.enterContext(mock.patch.object(self.chat.sessions, "get", slow))
        opening = asyncio.ensure_future(anna.open_socket())
        await seen.wait()
        await anna.submit("/logout", {"_xsrf": token})
        go.set()
        self.assertEqual(await (await opening).closed(), 3500)

    @tornado.testing.gen_test
    async def test_to_log_out_twice_or_without_a_session_is_fine(self) -> None:
        anna = await self.person("anna")
        token = await anna.token()
        for _ in range(2):
            response = await anna.submit("/logout", {"_xsrf": token})
            self.assertEqual(response.code, 303)

    @tornado.testing.gen_test
    async def test_nobody_logs_out_by_a_link(self) -> None:
        anna = await self.person("anna")
        self.assertEqual((await anna.fetch("/logout")).code, 405)
        self.assertEqual((await anna.call("GET", "/api/state"))[0], 200)
