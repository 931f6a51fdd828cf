"""Nobody but the page that the learner has opened may use the tour."""

import asyncio
import gc
import json
import re

from tornado.httpclient import HTTPClientError
from tornado.testing import gen_test
from tornado.websocket import WebSocketClientConnection

from course.tour.access import LOCAL_FRAMES, Access, content_security_policy
from tests.course.tour.tour_case import TourCase

FOREIGN_HOSTS = ["evil.example", "localhost", "localhost:1", "localhost.evil.example:{port}", ""]
FOREIGN_ORIGINS = ["http://evil.example", "null", "https://localhost:{port}", "http://localhost:1"]


class AccessTest(TourCase):
    @gen_test
    async def test_every_call_of_the_api_needs_the_token(self) -> None:
        routes = [
            rule.matcher.regex.pattern.rstrip("$")  # type: ignore[attr-defined]
            for rule in self._app.wildcard_router.rules
        ]
        api = [route for route in routes if route.startswith("/api/")]
        self.assertGreater(len(api), 3)
        for route in api:
            path = re.sub(r"\(.*?\)|\.\*", "1", route)
            for method in ("GET", "POST", "PUT"):
                for token in ("", "wrong", "\xe9"):
                    with self.subTest(path=path, method=method, token=token):
                        response = await self.call(path, {"code": "x"}, method=method, token=token)
                        expected = (403, 405) if path == "/api/token" else (401,)
                        self.assertIn(response.code, expected)

    @gen_test
    async def test_the_code_gives_the_token_once(self) -> None:
        code = self.access.new_code()
        first = await self.call("/api/token", {"code": code}, token="")
        self.assertEqual(json.loads(first.body), {"token": self.token})
        second = await self.call("/api/token", {"code": code}, token="")
        self.assertEqual(second.code, 403)
        self.assertIn("Press Enter", json.loads(second.body)["error"])

    @gen_test
    async def test_a_new_code_ends_the_one_before(self) -> None:
        old = self.access.new_code()
        self.access.new_code()
        self.assertEqual((await self.call("/api/token", {"code": old}, token="")).code, 403)
        self.assertEqual((await self.call("/api/token", {"code": ""}, token="")).code, 403)

    @gen_test
    async def test_another_host_is_refused_everywhere(self) -> None:
        for host in FOREIGN_HOSTS:
            name = host.format(port=self.get_http_port())
            for path in ("/", "/01", "/static/style.css", "/api/course", "/nothing"):
                with self.subTest(host=name, path=path):
                    response = await self.call(path, headers={"Host": name})
                    self.assertIn(response.code, (400, 403))
        for name in ("localhost", "127.0.0.1"):
            response = await self.call("/", headers={"Host": f"{name}:{self.get_http_port()}"})
            self.assertEqual(response.code, 200)

    @gen_test
    async def test_another_origin_is_refused(self) -> None:
        for origin in FOREIGN_ORIGINS:
            name = origin.format(port=self.get_http_port())
            with self.subTest(origin=name):
                response = await self.call("/api/course", headers={"Origin": name})
                self.assertEqual(response.code, 403)
                with self.assertRaises(HTTPClientError) as refused:
                    await self.open_page(origin=name)
                self.assertEqual(refused.exception.code, 403)
        response = await self.call("/api/course", headers={"Origin": self.origin})
        self.assertEqual(response.code, 200)

    @gen_test
    async def test_the_socket_needs_the_token_and_the_host(self) -> None:
        with self.assertRaises(HTTPClientError) as refused:
            await self.open_page(token="wrong")
        self.assertEqual(refused.exception.code, 401)
        with self.assertRaises(HTTPClientError) as refused:
            await self.open_page(Host="evil.example")
        self.assertEqual(refused.exception.code, 403)
        page = await self.open_page()
        self.assertEqual(await page.receive(), {"type": "runs", "runs": []})

    @gen_test
    async def test_the_socket_selects_the_protocol_and_never_repeats_the_token(self) -> None:
        page = await self.open_page()
        socket: WebSocketClientConnection = page._socket
        self.assertEqual(socket.selected_subprotocol, "tour.1")

    @gen_test
    async def test_a_page_that_goes_while_answers_wait_for_it_is_no_error(self) -> None:
        reported: list[str] = []
        asyncio.get_running_loop().set_exception_handler(
            lambda loop, context: reported.append(context["message"])
        )
        page = await self.open_page()
        for _ in range(200):
            await page.send(type="x" * 60_000)  # is answered, but the page does not read
        (socket,) = self.tour.sockets
        assert socket.ws_connection and socket.ws_connection.stream
        while not socket.ws_connection.stream.writing():  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(0)
        page.disconnect()
        while self.tour.sockets:  # noqa: ASYNC110
            await asyncio.sleep(0)
        for _ in range(3):  # the tasks of the frames end after the socket
            await asyncio.sleep(0)
        gc.collect()
        self.assertEqual(reported, [])

    @gen_test
    async def test_no_answer_sets_a_cookie_or_allows_another_origin(self) -> None:
        for path in ("/", "/01", "/static/style.css", "/api/course", "/nothing"):
            response = await self.call(path, headers={"Cookie": "a=b"})
            with self.subTest(path=path):
                self.assertNotIn("Set-Cookie", response.headers)
                self.assertNotIn("Access-Control-Allow-Origin", response.headers)

    @gen_test
    async def test_the_policy_allows_no_inline_script_and_no_other_site(self) -> None:
        for path in ("/", "/01", "/static/style.css", "/nothing"):
            headers = (await self.call(path)).headers
            policy = dict(
                rule.split(" ", 1) for rule in headers["Content-Security-Policy"].split("; ")
            )
            with self.subTest(path=path):
                self.assertEqual(policy["default-src"], "'none'")
                self.assertEqual(policy["script-src"], "'self'")
                self.assertEqual(policy["frame-ancestors"], "'none'")
                self.assertNotIn("unsafe", str(policy))
                self.assertEqual(headers["X-Content-Type-Options"], "nosniff")

    def test_a_forwarded_host_is_allowed_with_https_only(self) -> None:
        access = Access(8880, "name-8880.app.example")
        self.assertTrue(access.allows_host("name-8880.app.example"))
        self.assertTrue(access.allows_origin("https://name-8880.app.example"))
        self.assertFalse(access.allows_origin("http://name-8880.app.example"))
        self.assertFalse(Access(8880).allows_host("name-8880.app.example"))

    def test_a_forwarded_host_gives_the_scripts_their_addresses(self) -> None:
        cases: list[tuple[str, str | None, str]] = [
            ("", None, ""),
            ("name-8880.app.example", "https://name-{port}.app.example", " https://*.app.example"),
            ("8880-name.example.org", "https://{port}-name.example.org", " https://*.example.org"),
            ("tour.example.org", "", ""),
            ("name-88800.app.example", "", ""),
            ("name-8880", "", ""),
        ]
        for host, address, frames in cases:
            with self.subTest(host=host):
                access = Access(8880, host)
                self.assertEqual(access.address_of_scripts, address)
                self.assertEqual(access.frames, LOCAL_FRAMES + frames)
                self.assertIn(
                    access.frames, content_security_policy("localhost:8880", access.frames)
                )
