"""Lesson 06: other ways than a WebSocket, threads, tickets, and logout (C550-C553)."""

import asyncio
import json
import threading
from collections.abc import Callable
from typing import Any

import pytest
import tornado.tcpclient
import tornado.web
from tornado.httpclient import HTTPClientError, HTTPRequest
from tornado.testing import gen_test

from tests.lessons.websocket_case import WebSocketTestCase
from tests.support.lesson_case import import_script, json_of
from tests.support.websocket_frames import UPGRADE_HEADERS

from_thread = import_script("06_websocket_chat", "from_thread")
logout = import_script("06_websocket_chat", "logout")
three_ways = import_script("06_websocket_chat", "three_ways")
tickets = import_script("06_websocket_chat", "tickets")

PATIENCE = 60  # seconds until a wait that should have ended fails the test


class ThreeWaysTest(WebSocketTestCase):
    def get_app(self) -> tornado.web.Application:
        self.room = three_ways.Room()
        return three_ways.make_app(self.room)

    async def wait_for_readers(self, number: int) -> None:
        """Return when so many requests wait for news."""
        await self.until(lambda: len(self.room.news._waiters) >= number)

    async def until(self, condition: Callable[[], bool]) -> None:
        """Let the event loop go on until a condition holds; it has no event to wait for."""
        deadline = self.io_loop.time() + PATIENCE
        while not condition():
            self.assertLess(self.io_loop.time(), deadline)
            await asyncio.sleep(0)

    def events(self, **headers: str) -> tuple["asyncio.Queue[bytes]", Any]:
        chunks: asyncio.Queue[bytes] = asyncio.Queue()
        request = HTTPRequest(
            self.get_url("/events"), headers=headers, streaming_callback=chunks.put_nowait
        )
        return chunks, asyncio.ensure_future(self.http_client.fetch(request))

    @gen_test
    async def test_one_text_arrives_in_all_three_ways(self) -> None:
        """C550"""
        socket = await self.connect("/socket")
        poll = asyncio.ensure_future(self.http_client.fetch(self.get_url("/poll?after=0")))
        chunks, stream = self.events()
        await self.wait_for_readers(2)
        said = await self.http_client.fetch(self.get_url("/say"), method="POST", body="text=Hello")
        message = {"number": 1, "text": "Hello"}
        self.assertEqual(said.code, 204)
        self.assertEqual(json_of(await poll), {"messages": [message]})
        event = await asyncio.wait_for(chunks.get(), PATIENCE)
        self.assertEqual(event, f"id: 1\ndata: {json.dumps(message)}\n\n".encode())
        self.assertEqual(json.loads(str(await socket.read_message())), message)
        stream.cancel()

    @gen_test
    async def test_a_client_that_comes_back_gets_what_it_has_missed(self) -> None:
        """C550: it says which message it has seen last."""
        for text in "abc":
            self.room.say(text)
        missed = [{"number": 2, "text": "b"}, {"number": 3, "text": "c"}]
        poll = await self.http_client.fetch(self.get_url("/poll?after=1"))
        self.assertEqual(json_of(poll), {"messages": missed})
        chunks, stream = self.events(**{"Last-Event-ID": "1"})
        events = await asyncio.wait_for(chunks.get(), PATIENCE)
        self.assertTrue(events.startswith(b"id: 2\n"), events)
        stream.cancel()
        socket = await self.connect("/socket?after=1")
        received = [json.loads(str(await socket.read_message())) for _ in range(2)]
        self.assertEqual(received, missed)

    @gen_test
    async def test_a_wait_ends_when_its_time_is_over(self) -> None:
        """C550: an empty list, and a comment in the stream."""
        patience, three_ways.PATIENCE = three_ways.PATIENCE, three_ways.timedelta(milliseconds=10)  # type: ignore[attr-defined]
        self.addCleanup(setattr, three_ways, "PATIENCE", patience)
        poll = await self.http_client.fetch(self.get_url("/poll"))
        self.assertEqual(json_of(poll), {"messages": []})
        chunks, stream = self.events()
        self.assertEqual(await asyncio.wait_for(chunks.get(), PATIENCE), b": nothing new\n\n")
        stream.cancel()

    @gen_test
    async def test_a_client_that_has_gone_waits_no_longer(self) -> None:
        """C550: on_connection_close() cancels the wait."""
        for path in ("/poll", "/events"):
            peer = await self.peer_of(path)
            await self.wait_for_readers(1)
            [waiter] = self.room.news._waiters
            peer.close()
            await self.until(waiter.cancelled)
            self.room.news._waiters.clear()

    async def peer_of(self, path: str) -> Any:
        stream = await tornado.tcpclient.TCPClient().connect("127.0.0.1", self.get_http_port())
        self.addCleanup(stream.close)
        await stream.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
        return stream

    def test_a_number_that_is_none_is_refused(self) -> None:
        """C550"""
        self.assertEqual(self.fetch("/poll?after=x").code, 400)
        self.assertEqual(self.fetch("/events", headers={"Last-Event-ID": "-1"}).code, 400)
        self.assertEqual(self.fetch("/socket?after=x", headers=UPGRADE_HEADERS).code, 400)


class FromThreadTest(WebSocketTestCase):
    def get_app(self) -> tornado.web.Application:
        self.room = from_thread.Room()
        return from_thread.make_app(self.room)

    @gen_test
    async def test_the_event_loop_writes_what_a_thread_has(self) -> None:
        """C551"""
        stop, threads = threading.Event(), []

        def say(text: str) -> None:
            threads.append(threading.current_thread())
            self.room.say(text)
            stop.set()

        member = await self.connect("/room")
        arguments = (asyncio.get_running_loop(), say, stop)
        thread = threading.Thread(target=from_thread.measure, args=arguments)
        thread.start()
        self.assertEqual(await member.read_message(), "20 degrees")
        await asyncio.to_thread(thread.join, PATIENCE)
        self.assertFalse(thread.is_alive())
        self.assertEqual(threads, [threading.main_thread()])

    @gen_test
    async def test_a_thread_that_writes_itself_fails(self) -> None:
        """C551"""
        await self.connect("/room")
        with self.assertRaisesRegex(RuntimeError, "There is no current event loop in thread"):
            await asyncio.to_thread(self.room.say, "20 degrees")


class TicketsTest(WebSocketTestCase):
    def get_app(self) -> tornado.web.Application:
        return tickets.make_app()

    async def ticket(self, authorization: str = "Bearer token-of-ada") -> str:
        headers = {"Authorization": authorization}
        request = HTTPRequest(self.get_url("/ticket"), method="POST", body="", headers=headers)
        return str(json_of(await self.http_client.fetch(request))["ticket"])

    @gen_test
    async def test_a_ticket_opens_one_socket(self) -> None:
        """C552"""
        ticket = await self.ticket()
        socket = await self.connect(f"/socket?ticket={ticket}")
        self.assertEqual(await socket.read_message(), "Welcome, Ada")
        await socket.write_message("Hello")
        self.assertEqual(await socket.read_message(), "Ada said 'Hello'")
        self.assertEqual(await self.status(f"/socket?ticket={ticket}"), 401)

    @gen_test
    async def test_no_ticket_without_a_valid_token(self) -> None:
        """C552"""
        for authorization in ("", "Bearer", "Bearer guessed", "Basic token-of-ada"):
            with self.subTest(authorization), self.assertRaises(HTTPClientError) as refused:
                await self.ticket(authorization)
            self.assertEqual(refused.exception.code, 401)
        self.assertEqual(await self.status("/socket"), 401)
        self.assertEqual(await self.status("/socket?ticket=guessed"), 401)

    @gen_test
    async def test_an_old_ticket_is_void(self) -> None:
        """C552"""
        ticket = await self.ticket()
        issued = self._app.settings["tickets"].issued
        issued[ticket] = ("Ada", issued[ticket][1] - tickets.LIFETIME - 1)
        self.assertEqual(await self.status(f"/socket?ticket={ticket}"), 401)

    @pytest.fixture(autouse=True)
    def keep_the_log(self, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level("INFO")
        self.caplog = caplog

    @gen_test
    async def test_the_log_has_no_ticket(self) -> None:
        """C552"""
        ticket = await self.ticket()
        await self.connect(f"/socket?ticket={ticket}")
        self.assertIn("101 GET /socket", self.caplog.text)
        self.assertNotIn(ticket, self.caplog.text)


class LogoutTest(WebSocketTestCase):
    def get_app(self) -> tornado.web.Application:
        app: tornado.web.Application = logout.make_app("a test's own")
        app.settings["xsrf_cookies"] = False
        return app

    async def post(self, path: str, cookie: str = "", name: str = "") -> str:
        """Send a form; return the cookie of the answer."""
        request = HTTPRequest(
            self.get_url(path),
            method="POST",
            body=f"name={name}",
            headers={"Cookie": cookie},
            follow_redirects=False,
        )
        answer = await self.http_client.fetch(request, raise_error=False)
        self.assertEqual(answer.code, 303)
        return answer.headers["Set-Cookie"].partition(";")[0]

    @gen_test
    async def test_logout_closes_the_sockets_of_its_session_only(self) -> None:
        """C553"""
        ada, phone = [await self.post("/login", name="Ada") for _ in range(2)]
        one, two = [await self.connect("/socket", {"Cookie": ada}) for _ in range(2)]
        other = await self.connect("/socket", {"Cookie": phone})
        await self.post("/logout", ada)
        for socket in (one, two):
            self.assertIsNone(await socket.read_message())
            self.assertEqual((socket.close_code, socket.close_reason), (4001, "logged out"))
        await other.write_message("Hello")
        self.assertEqual(await other.read_message(), "Ada said 'Hello'")

    @gen_test
    async def test_a_session_that_has_ended_opens_no_socket(self) -> None:
        """C553: also with a copy of its cookie."""
        ada = await self.post("/login", name="Ada")
        self.assertEqual(await self.status("/socket", {"Cookie": ada}), 101)
        await self.post("/logout", ada)
        self.assertEqual(await self.status("/socket", {"Cookie": ada}), 401)
