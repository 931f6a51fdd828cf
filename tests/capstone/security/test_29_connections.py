"""Connections are limited in number and in time, and what exceeds a limit gets a clear answer."""

import errno
import resource
import socket
from typing import Any
from unittest import mock
from urllib.parse import urlencode

import tornado.httputil
import tornado.ioloop
import tornado.iostream
import tornado.testing

from capstone_chat import server
from capstone_chat.accounts import picture_files
from capstone_chat.handlers import profile
from capstone_chat.handlers.base import MAX_BODY_BYTES, content_length
from capstone_chat.options import OptionError
from capstone_chat.server import Server
from tests.capstone.chat_case import ChatCase, Person

SMALL_WINDOW = 4096
"""Bytes that a client takes before it reads: the rest of an answer waits in the server."""


class ConnectionCase(ChatCase):
    @property
    def server(self) -> Server:
        assert isinstance(self.http_server, Server)
        return self.http_server

    async def dial(self, data: bytes = b"") -> tornado.iostream.IOStream:
        """Connect as bare bytes, and send some."""
        connection = socket.socket()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL_WINDOW)
        stream = tornado.iostream.IOStream(connection)
        self.opened.append(stream)
        await stream.connect(("127.0.0.1", self.get_http_port()))
        await stream.write(data)
        return stream

    async def answer_to(self, data: bytes) -> bytes:
        """Return all that the server answers on a connection of its own, until it closes it."""
        return await (await self.dial(data)).read_until_close()

    async def status_of(self, stream: tornado.iostream.IOStream) -> int:
        """Return the status of the next answer."""
        line = await stream.read_until(b"\r\n")
        return tornado.httputil.parse_response_start_line(line.decode().strip()).code

    async def upload(self, person: Person, body: str) -> bytes:
        """Return a request that puts a picture, up to its body; `body` are the headers on that."""
        token = await person.token()
        head = f"PUT /api/me/picture HTTP/1.1\r\nHost: x\r\nCookie: {person.cookie}\r\n"
        return f"{head}X-XSRFToken: {token}\r\n{body}\r\n\r\n".encode()


class TimeTest(ConnectionCase):
    options = {"header_timeout": 0.3, "body_timeout": 0.3, "response_timeout": 0.3}  # noqa: RUF012

    @tornado.testing.gen_test
    async def test_a_request_whose_head_never_ends_is_given_up(self) -> None:
        for half in b"", b"GET", b"GET /login HTTP/1.1\r\nHost: x\r\nCookie: ":
            with self.subTest(half=half), self.assertNoLogs(level="WARNING"):
                self.assertEqual(await self.answer_to(half), b"")

    @tornado.testing.gen_test
    async def test_an_idle_connection_is_closed_after_its_last_answer(self) -> None:
        answer = await self.answer_to(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n" * 2)
        self.assertEqual(answer.count(b"HTTP/1.1 200 OK"), 2)

    @tornado.testing.gen_test
    async def test_half_a_handshake_is_given_up(self) -> None:
        head = b"GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        self.assertEqual(await self.answer_to(head), b"")

    @tornado.testing.gen_test
    async def test_a_body_that_never_ends_is_given_up(self) -> None:
        for body in (
            b"Content-Length: 100\r\n\r\nhalf",
            b"Transfer-Encoding: chunked\r\n\r\n5\r\nha",
        ):
            with self.subTest(body=body), self.assertNoLogs(level="WARNING"):
                head = b"POST /login HTTP/1.1\r\nHost: x\r\n"
                self.assertEqual(await self.answer_to(head + body), b"")

    @tornado.testing.gen_test
    async def test_a_head_or_a_body_that_comes_in_drops_is_given_up(self) -> None:
        body = b"POST /login HTTP/1.1\r\nHost: x\r\nContent-Length: 9999\r\n\r\n"
        for begin in b"GET /login HTTP/1.1\r\nCookie: ", body:
            with self.subTest(begin=begin):
                stream = await self.dial(begin)
                drops = tornado.ioloop.PeriodicCallback(lambda: stream.write(b"x"), 20)  # noqa: B023
                drops.start()
                self.addCleanup(drops.stop)
                with self.assertRaises(tornado.iostream.StreamClosedError):
                    await stream.read_bytes(1)
                drops.stop()

    @tornado.testing.gen_test
    async def test_half_a_picture_is_given_up_and_forgotten(self) -> None:
        anna = await self.person("anna")
        head = await self.upload(anna, "Content-Length: 1000")
        with mock.patch.object(profile, "UPLOAD_TIMEOUT", 0.1), self.assertNoLogs(level="ERROR"):
            answer = await self.answer_to(head + b"half")
        self.assertTrue(answer.startswith(b"HTTP/1.1 408 "), answer[:50])
        self.assertEqual(self.chat.active_requests._in_flight, set())

    @tornado.testing.gen_test
    async def test_who_does_not_take_an_answer_is_given_up(self) -> None:
        request = b"GET /static/css/chat.css HTTP/1.1\r\nHost: x\r\n\r\n"
        stream = await self.dial(request * 3000)
        (connection,) = self.server._serving
        await self.until(connection.writing)
        await self.until(lambda: self.server._open_count == 0)
        await self.until(lambda: not self.server._serving)
        del stream

    @tornado.testing.gen_test
    async def test_an_open_socket_outlives_all_of_these(self) -> None:
        anna = await self.person("anna")
        line = await anna.connect()
        self.assertEqual(await self.answer_to(b"GET"), b"")
        self.server._sweep()
        await line.heard()


class NumberTest(ConnectionCase):
    options = {"connections": 6, "connections_per_address": 4}  # noqa: RUF012

    @tornado.testing.gen_test
    async def test_an_address_has_so_many_connections_and_no_more(self) -> None:
        held = [await self.dial() for _ in range(4)]
        await self.until(lambda: self.server._open_count == 4)
        with self.assertLogs("capstone_chat.server", "WARNING") as logged:
            for _ in range(20):
                answer = await self.answer_to(b"")
                self.assertTrue(answer.startswith(b"HTTP/1.1 503 "), answer)
                self.assertIn(b"Retry-After: 5\r\n", answer)
        self.assertEqual(len(logged.records), 1)
        held.pop().close()
        await self.until(lambda: self.server._open_count == 3)
        stream = await self.dial(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        self.assertEqual(await self.status_of(stream), 200)

    @tornado.testing.gen_test
    async def test_sockets_count_and_all_that_is_closed_counts_no_more(self) -> None:
        anna = await self.person("anna")
        line = await anna.connect()
        self.assertEqual(self.server._open_count, 1)
        for _ in range(30):
            await anna.fetch("/healthz")
            await self.answer_to(b"GET / HTTP/1.1\r\nbad header\r\n\r\n")
        line.socket.close()
        await self.until(lambda: self.server._open_count == 0)
        self.assertEqual(self.server._per_network, {})
        self.assertEqual((self.server._receiving, self.server._serving), ({}, set()))


class AllTest(ConnectionCase):
    options = {"connections": 4}  # noqa: RUF012

    @tornado.testing.gen_test
    async def test_the_one_that_waits_longest_makes_room(self) -> None:
        halves = [b"", b"GET", b"POST /login HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhalf"]
        idle = await self.dial(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        self.assertEqual(await self.status_of(idle), 200)
        held = [await self.dial(half) for half in halves]
        await self.until(lambda: self.server._open_count == 4)
        for number, gone in enumerate([idle, *held]):
            stream = await self.dial(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            self.assertEqual(await self.status_of(stream), 200)
            await gone.read_until_close()
            self.assertEqual(self.server._open_count, 4)
            rest = [each for each in held[number:] if each is not gone]
            self.assertFalse(any(each.closed() for each in rest))

    @tornado.testing.gen_test
    async def test_sockets_do_not_make_room(self) -> None:
        anna = await self.person("anna")
        lines = [await anna.connect() for _ in range(4)]
        with self.assertLogs("capstone_chat.server", "WARNING"):
            self.assertTrue((await self.answer_to(b"")).startswith(b"HTTP/1.1 503 "))
        for line in lines:
            await line.heard()
        lines[0].socket.close()
        await self.until(lambda: self.server._open_count == 3)
        await anna.connect()


class ProxyTest(ConnectionCase):
    options = {"connections_per_address": 2, "xheaders": True}  # noqa: RUF012

    @tornado.testing.gen_test
    async def test_the_limit_of_an_address_is_not_the_proxys(self) -> None:
        for _ in range(5):
            stream = await self.dial(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            self.assertEqual(await self.status_of(stream), 200)
        self.assertEqual(self.server._open_count, 5)


class ExhaustedTest(ConnectionCase):
    @tornado.testing.gen_test
    async def test_without_a_descriptor_accepting_pauses_and_goes_on_by_itself(self) -> None:
        real = socket.socket.accept
        for error in errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM:
            calls: list[socket.socket] = []
            self.server._log_limiter._buckets.clear()

            def accept(
                self: socket.socket,
                calls: list[socket.socket] = calls,
                error: int = error,
            ) -> tuple[socket.socket, Any]:
                calls.append(self)
                if len(calls) <= 3:
                    raise OSError(error, "no room")
                return real(self)

            with (
                self.subTest(error=errno.errorcode[error]),
                mock.patch.object(socket.socket, "accept", accept),
                mock.patch.object(server, "ACCEPT_PAUSE", 0.05),
                self.assertLogs(level="WARNING") as logged,
            ):
                stream = await self.dial(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
                self.assertEqual(await self.status_of(stream), 200)
            self.assertEqual(len(logged.records), 1, logged.output)
            self.assertLessEqual(len(calls), 5)

    @tornado.testing.gen_test
    async def test_the_loop_turns_while_accepting_pauses_and_a_stop_ends_the_pause(self) -> None:
        anna = await self.person("anna")
        line = await anna.connect()
        failure = OSError(errno.EMFILE, "no room")
        with (
            mock.patch.object(socket.socket, "accept", side_effect=failure) as accept,
            mock.patch.object(server, "ACCEPT_PAUSE", 600.0),
            self.assertLogs(level="WARNING"),
        ):
            await self.dial()
            await self.until(lambda: accept.call_count == 1)
            for _ in range(20):
                await line.heard()
            self.assertEqual(accept.call_count, 1)
            self.server.stop()
        self.assertEqual(self.server._listening, [])

    @tornado.testing.gen_test
    async def test_a_client_that_has_gone_is_no_reason_to_pause(self) -> None:
        real = socket.socket.accept
        failures = [OSError(errno.ECONNABORTED, "gone"), OSError(errno.EPROTO, "gone")]

        def accept(self: socket.socket) -> tuple[socket.socket, Any]:
            if failures:
                raise failures.pop()
            return real(self)

        with mock.patch.object(socket.socket, "accept", accept), self.assertNoLogs(level="WARNING"):
            stream = await self.dial(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            self.assertEqual(await self.status_of(stream), 200)
            await stream.read_until(b"alive\n")


class FilesTest(ConnectionCase):
    def fitting(
        self, wanted: int, soft: int, hard: int, redis_servers: int = 0
    ) -> tuple[int, list[Any]]:
        with (
            mock.patch("resource.getrlimit", return_value=(soft, hard)),
            mock.patch("resource.setrlimit") as set_limit,
        ):
            return server.usable_connections(wanted, redis_servers), set_limit.call_args_list

    def test_the_limit_of_open_files_is_raised_as_far_as_it_may(self) -> None:
        limit = resource.RLIMIT_NOFILE
        with self.assertNoLogs():
            self.assertEqual(
                self.fitting(1000, 256, 10**6), (1000, [mock.call(limit, (1040, 10**6))])
            )
            self.assertEqual(self.fitting(1000, 5000, 10**6), (1000, []))
            self.assertEqual(self.fitting(1000, -1, -1), (1000, []))
            self.assertEqual(self.fitting(1000, 64, -1), (1000, [mock.call(limit, (1040, -1))]))

    def test_a_limit_that_is_too_low_is_told_and_a_reserve_is_kept(self) -> None:
        with self.assertLogs("capstone_chat.server", "WARNING") as logged:
            self.assertEqual(self.fitting(1000, 64, 64), (24, []))
            self.assertEqual(self.fitting(1000, 64, 64, redis_servers=3), (12, []))
        self.assertIn("64", logged.output[0])
        self.assertIn("24 connections", logged.output[0])
        with self.assertRaisesRegex(OptionError, "ulimit -n"):
            self.fitting(1000, 40, 40)

    @tornado.testing.gen_test
    async def test_a_static_file_is_closed_before_a_slow_client_has_read_it(self) -> None:
        content = self._app.settings["static_handler_class"].get_content(
            f"{self._app.settings['static_path']}/favicon.svg"
        )
        self.assertIsInstance(content, bytes)  # no generator, which would hold the file
        ranged = await self.fetch_range("bytes=5-9")
        self.assertEqual(ranged, content[5:10])

    async def fetch_range(self, span: str) -> bytes:
        answer = await self.http_client.fetch(
            self.get_url("/static/favicon.svg"), headers={"Range": span}
        )
        return answer.body


class SizeTest(ConnectionCase):
    def setUp(self) -> None:
        super().setUp()
        self.quiet = self.enterContext(self.assertNoLogs(level="WARNING"))

    @tornado.testing.gen_test
    async def test_a_head_that_is_too_long_is_431(self) -> None:
        head = b"GET /login HTTP/1.1\r\nHost: x\r\nCookie: "
        for rest in b"x" * 20_000, b"x" * 20_000 + b"\r\n\r\n":
            answer = await self.answer_to(head + rest)
            self.assertTrue(answer.startswith(b"HTTP/1.1 431 "), answer[:50])
        answer = await self.answer_to(head + b"x" * 15_000 + b"\r\nConnection: close\r\n\r\n")
        self.assertTrue(answer.startswith(b"HTTP/1.1 200 "), answer[:50])

    @tornado.testing.gen_test
    async def test_a_body_that_is_too_long_is_413_on_every_route_before_it_is_read(self) -> None:
        for method, path in (
            ("POST", "/login"),
            ("POST", "/register"),
            ("POST", "/api/groups"),
            ("PATCH", "/api/me"),
            ("PUT", "/nowhere"),
            ("GET", "/static/favicon.svg"),
            ("GET", "/healthz"),
            ("GET", "/ws"),
        ):
            with self.subTest(method=method, path=path):
                head = f"{method} {path} HTTP/1.1\r\nHost: x\r\nContent-Length: "
                answer = await self.answer_to(f"{head}{MAX_BODY_BYTES + 1}\r\n\r\n".encode())
                self.assertEqual(answer.count(b"HTTP/1.1 "), 1, answer)
                self.assertTrue(answer.startswith(b"HTTP/1.1 413 "), answer[:50])
                self.assertIn(b'"too_large"', answer)
                self.assertIn(b"Connection: close", answer)
        self.assertEqual(self.chat.active_requests._in_flight, set())

    @tornado.testing.gen_test
    async def test_a_body_of_the_largest_size_is_read(self) -> None:
        anna = await self.person("anna")
        fields = urlencode({"_xsrf": await anna.token(), "padding": ""})
        body = fields + "x" * (MAX_BODY_BYTES - len(fields))
        self.assertEqual((await anna.fetch("/logout", method="POST", body=body)).code, 303)

    @tornado.testing.gen_test
    async def test_a_chunked_body_that_is_too_long_is_400(self) -> None:
        head = b"POST /login HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        for chunks in b"fffff\r\n", b"8000\r\n" + b"x" * 0x8000 + b"\r\n9000\r\n", b"0" * 100:
            answer = await self.answer_to(head + chunks)
            self.assertTrue(answer.startswith(b"HTTP/1.1 400 ") or not answer, answer[:50])

    @tornado.testing.gen_test
    async def test_a_length_that_is_no_number_is_400_for_a_picture_too(self) -> None:
        anna = await self.person("anna")
        for length in "abc", "-1", "1e3", "\u00b2", "9" * 5000, "5, 6", "0x10":
            with self.subTest(length=length[:9]):
                head = await self.upload(anna, f"Content-Length: {length}")
                answer = await self.answer_to(head.replace("\u00b2".encode(), b"\xb2"))
                self.assertRegex(answer, rb"\AHTTP/1\.1 4(00|13) ")

    def test_a_length_is_a_whole_number(self) -> None:
        for value, length in ("12", 12), ("", 0), ("-1", 0), ("\u00b2", 0), ("5, 5", 0):
            headers = tornado.httputil.HTTPHeaders({"Content-Length": value} if value else {})
            request = mock.Mock(headers=headers)
            self.assertEqual(content_length(request), length)
        huge = mock.Mock(headers=tornado.httputil.HTTPHeaders({"Content-Length": "9" * 5000}))
        self.assertGreater(content_length(huge), picture_files.MAX_UPLOAD_BYTES)

    @tornado.testing.gen_test
    async def test_nonsense_is_400_and_no_traceback(self) -> None:
        noise = [b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\r\n\r\n", b"\r\n\r\n\r\n\r\n"]
        noise += [b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"GET / HTTP/1.1\r\nno colon\r\n\r\n"]
        for data in noise:
            with self.subTest(data=data):
                answer = await self.answer_to(data)
                self.assertRegex(answer, rb"\A(HTTP/1\.1 400 |\Z)")
