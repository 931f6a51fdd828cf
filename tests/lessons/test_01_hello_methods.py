"""Lesson 01: all methods of a resource, default headers, slashes (C014, C015, C051)."""

from typing import Any
from urllib.parse import urlencode

import tornado.web
from tornado.httpclient import HTTPResponse
from tornado.iostream import IOStream
from tornado.tcpserver import TCPServer
from tornado.testing import AsyncHTTPTestCase, bind_unused_port, gen_test

from tests.support.lesson_case import RoutesHTTPTestCase, import_script, json_of

methods = import_script("01_hello", "methods")
default_headers = import_script("01_hello", "default_headers")
slashes = import_script("01_hello", "slashes")

MARS = "/planets/mars"


class ResourceCase(AsyncHTTPTestCase):
    def get_app(self) -> tornado.web.Application:
        return methods.make_app()

    def send(self, method: str, path: str, **form: object) -> HTTPResponse:
        body = urlencode(form) if form else None
        return self.fetch(
            path,
            method=method,
            body=body,
            allow_nonstandard_methods=True,
            headers={"Content-Type": "application/x-www-form-urlencoded"} if form else {},
        )

    def planets(self) -> Any:
        return json_of(self.send("GET", "/planets"))


class ResourceTest(ResourceCase):
    def test_safe_methods_change_nothing(self) -> None:
        """C014: GET, HEAD and OPTIONS are safe (RFC 9110, 9.2.1)."""
        before = self.planets()
        for method in ("GET", "HEAD", "OPTIONS"):
            self.assertIn(self.send(method, MARS).code, (200, 204))
        self.assertEqual(self.planets(), before)

    def test_put_and_delete_have_the_same_effect_when_they_are_repeated(self) -> None:
        """C014: they are idempotent (RFC 9110, 9.2.2); the statuses may differ."""
        jupiter = "/planets/jupiter"
        codes = [self.send("PUT", jupiter, moons=95).code for _ in range(2)]
        self.assertEqual((codes, self.planets()), ([201, 204], {"mars": 2, "jupiter": 95}))
        codes = [self.send("DELETE", jupiter).code for _ in range(2)]
        self.assertEqual((codes, self.planets()), ([204, 404], {"mars": 2}))

    def test_patch_counts_again_when_it_is_repeated(self) -> None:
        """C014"""
        found = [json_of(self.send("PATCH", MARS, discovered=1))["moons"] for _ in range(2)]
        self.assertEqual(found, [3, 4])

    def test_post_creates_once_and_says_where(self) -> None:
        """C014: 201 with Location, then 409."""
        created = self.send("POST", "/planets", name="the moon", moons=0)
        self.assertEqual((created.code, created.headers["Location"]), (201, "/planets/the%20moon"))
        self.assertEqual(json_of(self.send("GET", created.headers["Location"]))["moons"], 0)
        self.assertEqual(self.send("POST", "/planets", name="the moon", moons=5).code, 409)
        self.assertEqual(self.planets()["the moon"], 0)

    def test_head_has_the_headers_of_get(self) -> None:
        """C012"""
        get, head = self.send("GET", MARS), self.send("HEAD", MARS)
        self.assertEqual(head.body, b"")
        self.assertEqual(head.headers["Content-Length"], str(len(get.body)))

    def test_allow_names_what_each_resource_has(self) -> None:
        """C013: Tornado's own 405 has no Allow; these have one."""
        for path, allowed in [
            ("/planets", "GET, POST, OPTIONS"),
            (MARS, "GET, HEAD, DELETE, PATCH, PUT, OPTIONS"),
        ]:
            missing = "DELETE" if path == "/planets" else "POST"
            for method, code in [("OPTIONS", 204), (missing, 405)]:
                response = self.send(method, path)
                self.assertEqual((response.code, response.headers["Allow"]), (code, allowed))

    def test_a_wrong_number_is_400_and_changes_nothing(self) -> None:
        for method, path, form in [
            ("PUT", MARS, {"moons": "two"}),
            ("PATCH", MARS, {"discovered": "one"}),
            ("POST", "/planets", {"name": "venus", "moons": ""}),
        ]:
            with self.subTest(method=method):
                self.assertEqual(self.send(method, path, **form).code, 400)
        self.assertEqual(self.planets(), {"mars": 2})


class DefaultHeadersTest(AsyncHTTPTestCase):
    def get_app(self) -> tornado.web.Application:
        return default_headers.make_app()

    def test_a_handler_replaces_a_default_and_an_error_restores_it(self) -> None:
        """C051"""
        for path, cache in [
            ("/moons/mars", "max-age=3600"),
            ("/moons/venus", "no-store"),
            ("/nowhere", "no-store"),
        ]:
            with self.subTest(path=path):
                headers = self.fetch(path).headers
                self.assertEqual(headers["Cache-Control"], cache)
                self.assertEqual(headers["Server"], "planets")
                self.assertEqual(headers["X-Content-Type-Options"], "nosniff")

    def test_a_redirect_of_the_application_does_not_have_them(self) -> None:
        response = self.fetch("/", follow_redirects=False)
        self.assertIn("TornadoServer", response.headers["Server"])


class SlashesTest(RoutesHTTPTestCase):
    def get_app(self) -> tornado.web.Application:
        return slashes.make_app()

    def test_one_of_the_two_addresses_redirects(self) -> None:
        """C330"""
        for path, location in [("/folder?a=1", "/folder/?a=1"), ("/page/?a=1", "/page?a=1")]:
            response = self.get(path)
            self.assertEqual((response.code, response.headers["Location"]), (301, location))
            self.assertEqual(self.get(location).code, 200)
        self.assertEqual([self.get("/both").code, self.get("/both/").code], [200, 200])

    def test_a_post_is_not_redirected(self) -> None:
        self.assertEqual(self.post("/page/").body, b"Posted\n")


class SlashOfPostHandler(tornado.web.RequestHandler):
    @tornado.web.removeslash
    def post(self) -> None:
        raise AssertionError("never reached")


class SlashOfPostTest(RoutesHTTPTestCase):
    routes = ((r"/page/?", SlashOfPostHandler),)

    def test_the_decorator_answers_a_post_with_404(self) -> None:
        self.assertEqual(self.post("/page/").code, 404)


class ReadableRequestTest(ResourceCase):
    @gen_test
    async def test_without_tls_the_network_reads_get_and_post_alike(self) -> None:
        """C015: POST hides nothing. The bytes are those that a computer on the way sees."""
        seen: list[bytes] = []

        class Recorder(TCPServer):
            async def handle_stream(self, stream: IOStream, address: tuple[str, int]) -> None:
                head = await stream.read_until(b"\r\n\r\n")
                length = b"Content-Length: 11" in head
                seen.append(head + (await stream.read_bytes(11) if length else b""))
                await stream.write(b"HTTP/1.1 204 No Content\r\n\r\n")
                stream.close()

        listening, port = bind_unused_port()
        server = Recorder()
        server.add_sockets([listening])
        url = f"http://127.0.0.1:{port}/"
        await self.http_client.fetch(f"{url}?pin=secret1")
        await self.http_client.fetch(url, method="POST", body="pin=secret1")
        server.stop()
        self.assertEqual([b"secret1" in request for request in seen], [True, True])
