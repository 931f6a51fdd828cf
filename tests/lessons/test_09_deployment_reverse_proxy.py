"""Lesson 09: the reverse proxy in Tornado streams both ways and leaves out hop-by-hop headers."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import tornado.web
from tornado.httpclient import HTTPRequest, HTTPResponse
from tornado.httpserver import HTTPServer
from tornado.httputil import HTTPHeaders
from tornado.iostream import IOStream
from tornado.tcpclient import TCPClient
from tornado.testing import AsyncHTTPTestCase, bind_unused_port, gen_test

from course.ports import free_port
from tests.support.lesson_case import import_script

reverse_proxy = import_script("09_deployment", "reverse_proxy")


@tornado.web.stream_request_body
class SlowUploadHandler(tornado.web.RequestHandler):
    """Says when the first part of a body has arrived."""

    def prepare(self) -> None:
        self.body = b""

    def data_received(self, chunk: bytes) -> None:
        self.body += chunk
        self.settings["arrived"].set()

    def post(self) -> None:
        self.write(self.body)


class SlowDownloadHandler(tornado.web.RequestHandler):
    async def get(self) -> None:
        self.write("first ")
        await self.flush()
        await self.settings["taken"].wait()
        self.write("second")


class HalfHandler(tornado.web.RequestHandler):
    async def get(self) -> None:
        """Send a body in chunks, and close before the last one."""
        self.write("half")
        await self.flush()
        await self.settings["taken"].wait()
        self.detach().close()


class AnyHandler(tornado.web.RequestHandler):
    def get(self, status: str) -> None:
        self.set_status(int(status), "As it is")
        self.set_header("Location", "http://evil.example/")
        self.set_header("Keep-Alive", "timeout=5")
        self.set_header("X-End", "of both ends")
        self.add_header("Set-Cookie", "a=1")
        self.add_header("Set-Cookie", "b=2")

    def delete(self, status: str) -> None:
        self.set_status(int(status))


class RawUriHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.write(self.request.uri or "")


class ReverseProxyTest(AsyncHTTPTestCase):
    def get_app(self) -> tornado.web.Application:
        self.behind = reverse_proxy.make_server()
        self.behind.add_handlers(
            ".*",
            [
                ("/slow-upload", SlowUploadHandler),
                ("/slow-download", SlowDownloadHandler),
                ("/half", HalfHandler),
                (r"/status/(\d+)", AnyHandler),
                ("/raw.*", RawUriHandler),
            ],
        )
        self.behind.settings |= {"arrived": asyncio.Event(), "taken": asyncio.Event()}
        self.server = HTTPServer(self.behind)
        socket, port = bind_unused_port()
        self.server.add_socket(socket)
        gone_port = free_port(0)
        self.address = f"http://127.0.0.1:{port}"
        return reverse_proxy.make_app(app=self.address, gone=f"http://127.0.0.1:{gone_port}")

    def tearDown(self) -> None:
        self.server.stop()
        self.io_loop.run_sync(self.server.close_all_connections)
        super().tearDown()

    def seen(self, headers: dict[str, str] | HTTPHeaders) -> dict[str, str]:
        """Return the headers that the server behind the proxy gets."""
        seen: dict[str, str] = json.loads(self.fetch("/app/headers", headers=headers).body)
        return seen

    def test_headers_of_one_connection_stay_and_the_others_are_passed_on(self) -> None:
        """C585, RFC 9110, 7.6.1: also those that Connection names."""
        seen = self.seen(
            {
                "Connection": "close, X-Mine",
                "X-Mine": "1",
                "Keep-Alive": "timeout=5",
                "Te": "trailers",
                "Upgrade": "websocket",
                "Proxy-Authorization": "Basic secret",
                "X-Theirs": "2",
                "Cookie": "a=1",
            }
        )
        for name in ("X-Mine", "Keep-Alive", "Te", "Upgrade", "Proxy-Authorization"):
            self.assertNotIn(name, seen)
        self.assertEqual((seen["X-Theirs"], seen["Cookie"]), ("2", "a=1"))
        self.assertEqual(seen["Host"], f"127.0.0.1:{self.get_http_port()}")

    def test_the_address_of_the_client_replaces_what_the_client_has_sent(self) -> None:
        """C585"""
        seen = self.seen({"X-Real-IP": "6.6.6.6", "X-Scheme": "https"})
        self.assertEqual((seen["X-Real-Ip"], seen["X-Scheme"]), ("127.0.0.1", "http"))

    def test_the_answer_is_passed_on_with_its_status_and_all_cookies(self) -> None:
        """C585: an error of the server behind, and a redirect, which the proxy does not follow."""
        for status in (200, 302, 404, 503):
            answer = self.fetch(f"/app/status/{status}", follow_redirects=False)
            self.assertEqual((answer.code, answer.reason), (status, "As it is"))
            self.assertEqual(answer.headers["Location"], "http://evil.example/")
            self.assertEqual(answer.headers["X-End"], "of both ends")
            self.assertNotIn("Keep-Alive", answer.headers)
            self.assertEqual(answer.headers.get_list("Set-Cookie"), ["a=1", "b=2"])
            self.assertEqual(len(answer.headers.get_list("Date")), 1)

    def test_verbs_and_answers_without_a_body(self) -> None:
        """C585"""
        self.assertEqual(self.fetch("/app/status/204", method="DELETE").code, 204)
        self.assertEqual(self.fetch("/app/status/200", method="HEAD").code, 405)
        self.assertEqual(self.fetch("/app/headers", method="OPTIONS").code, 405)

    def test_the_path_is_passed_on_as_it_came(self) -> None:
        """C585: decoded twice, %2525 would be another path."""
        for path in ("/raw%2F%25?a=%26&b", "/raw/@evil.example/", "/raw//evil.example"):
            self.assertEqual(self.fetch(f"/app{path}").body.decode(), path)

    def test_only_known_servers_are_asked(self) -> None:
        """C585: no host comes from the request."""
        for path in ("/evil.example/", "/http://evil.example/", "//evil.example/", "/app@evil/x"):
            self.assertEqual(self.fetch(path).code, 404, path)
        self.assertEqual(self.fetch("/evil/", method="POST", body=b"x" * 10**6).code, 404)

    def test_a_server_that_is_away_is_502(self) -> None:
        """C585"""
        self.assertEqual(self.fetch("/gone/").code, 502)
        self.assertEqual(self.fetch("/gone/", method="POST", body=b"x" * 10**6).code, 502)

    @gen_test
    async def test_an_upload_is_passed_on_while_it_arrives(self) -> None:
        """C585: the second part is sent when the first has reached the server behind."""

        async def parts(write: Callable[[bytes], Awaitable[None]]) -> None:
            await write(b"first ")
            await self.behind.settings["arrived"].wait()
            await write(b"second")

        producer: Any = parts  # the annotation of HTTPRequest is narrower than its documentation
        request = HTTPRequest(
            self.get_url("/app/slow-upload"), method="POST", body_producer=producer
        )
        answer = await self.http_client.fetch(request)
        self.assertEqual(answer.body, b"first second")

    @gen_test
    async def test_a_download_is_passed_on_while_it_is_made(self) -> None:
        """C585: the server behind goes on when the client has the first part."""
        received: list[bytes] = []

        def take(part: bytes) -> None:
            received.append(part)
            self.behind.settings["taken"].set()

        url = self.get_url("/app/slow-download")
        await self.http_client.fetch(HTTPRequest(url, streaming_callback=take))
        self.assertEqual(b"".join(received), b"first second")

    def test_a_large_upload_arrives_whole_and_in_parts(self) -> None:
        """C585"""
        told: dict[str, Any] = json.loads(
            self.fetch("/app/upload", method="POST", body=b"0123456789" * 10**5).body
        )
        self.assertGreater(told["parts"], 1)
        direct: HTTPResponse = self.io_loop.run_sync(
            lambda: self.http_client.fetch(
                f"{self.address}/upload", method="POST", body=b"0123456789" * 10**5
            )
        )
        self.assertEqual(told["sha256"], json.loads(direct.body)["sha256"])

    @gen_test
    async def test_half_an_answer_is_not_taken_for_a_whole_one(self) -> None:
        """C585: the connection to the client is closed too."""
        stream: IOStream = await TCPClient().connect("127.0.0.1", self.get_http_port())
        await stream.write(b"GET /app/half HTTP/1.1\r\nHost: x\r\n\r\n")
        await stream.read_until(b"half\r\n")
        self.behind.settings["taken"].set()
        self.assertEqual(await stream.read_until_close(), b"", "a last chunk says: complete")
