"""Lesson 06: who may open a socket: origins and logins (C220, C221, C224, C226)."""

import tornado.web
from tornado.testing import gen_test
from tornado.websocket import WebSocketHandler

from tests.lessons.cookie_case import CookieClientCase
from tests.lessons.websocket_case import WebSocketTestCase
from tests.support.lesson_case import import_script
from tests.support.script_server import serving
from tests.support.websocket_frames import UPGRADE_HEADERS

origin = import_script("06_websocket_chat", "origin")
login = import_script("06_websocket_chat", "login")

EVIL = "https://evil.example"
SECRET = "a test's own"


class OriginTest(WebSocketTestCase):
    def get_app(self) -> tornado.web.Application:
        return origin.make_app()

    async def answers(self, path: str, *headers: dict[str, str]) -> list[int]:
        return [await self.status(path, each) for each in headers]

    @gen_test
    async def test_pages_of_this_host_trusted_ones_and_programs_get_in(self) -> None:
        """C220"""
        own = f"http://127.0.0.1:{self.get_http_port()}"
        answers = await self.answers(
            "/careful", {"Origin": own}, {"Origin": "https://partner.example"}, {}
        )
        self.assertEqual(answers, [101, 101, 101])

    @gen_test
    async def test_the_scheme_of_an_own_page_is_not_compared(self) -> None:
        """C220: behind a proxy that does TLS the server sees http only."""
        own = f"https://127.0.0.1:{self.get_http_port()}"
        self.assertEqual(await self.status("/careful", {"Origin": own}), 101)

    @gen_test
    async def test_other_pages_are_refused(self) -> None:
        """C220: host and port count, and so does every letter of a trusted origin."""
        for strange in (
            EVIL,
            "http://127.0.0.1:1",
            f"http://evil.example:{self.get_http_port()}",
            "http://partner.example",
            "https://partner.example.evil.example",
            "null",
        ):
            with self.subTest(origin=strange):
                self.assertEqual(await self.status("/careful", {"Origin": strange}), 403)

    @gen_test
    async def test_what_the_browser_says_of_the_site_comes_first(self) -> None:
        """C220: new in 6.6, Sec-Fetch-Site, which no page can forge."""
        answers = await self.answers(
            "/careful",
            {"Sec-Fetch-Site": "same-origin", "Origin": EVIL},
            {"Sec-Fetch-Site": "cross-site", "Origin": EVIL},
            {"Sec-Fetch-Site": "same-site"},
            {"Sec-Fetch-Site": "cross-site", "Origin": "https://partner.example"},
        )
        self.assertEqual(answers, [101, 403, 403, 101])

    @gen_test
    async def test_check_origin_that_is_always_true_lets_every_page_in(self) -> None:
        """C221"""
        answers = await self.answers("/careless", {"Origin": EVIL}, {"Origin": "null"})
        self.assertEqual(answers, [101, 101])

    def test_the_refusal_says_why(self) -> None:
        """C220"""
        response = self.fetch("/careful", headers=UPGRADE_HEADERS | {"Origin": EVIL})
        self.assertEqual(
            (response.code, response.body), (403, b"Cross origin websockets not allowed")
        )


def test_the_script_tries_all_four_origins() -> None:
    """C220, C221"""
    with serving(origin.HERE / "origin.py") as server:
        assert server.output.splitlines()[1:-1] == [
            "    101       101  (none)",
            f"    101       101  {server.url}",
            "    101       101  https://partner.example",
            "    403       101  https://evil.example",
        ]


class AskedHandler(WebSocketHandler):
    def check_origin(self, origin: str) -> bool:
        self.settings["asked"].append(origin)
        return False


class AskedTest(WebSocketTestCase):
    def get_app(self) -> tornado.web.Application:
        self.asked: list[str] = []
        return tornado.web.Application([("/", AskedHandler)], asked=self.asked)

    @gen_test
    async def test_check_origin_is_asked_about_foreign_pages_only(self) -> None:
        """C220: since 6.6; before, it was asked about every page."""
        own = f"http://127.0.0.1:{self.get_http_port()}"
        self.assertEqual(await self.status("/", {"Origin": own}), 101)
        self.assertEqual(await self.status("/"), 101)
        self.assertEqual(await self.status("/", {"Origin": EVIL}), 403)
        self.assertEqual(self.asked, [EVIL])


class LoginTest(WebSocketTestCase):
    def get_app(self) -> tornado.web.Application:
        return login.make_app(SECRET)

    def cookie(self, name: str = "Ada", secret: str = SECRET) -> dict[str, str]:
        return {"Cookie": f"user={tornado.web.create_signed_value(secret, 'user', name).decode()}"}

    @gen_test
    async def test_without_a_cookie_the_handshake_is_401(self) -> None:
        """C226"""
        self.assertEqual(await self.status("/socket"), 401)

    @gen_test
    async def test_a_cookie_that_somebody_else_signed_is_none(self) -> None:
        """C226"""
        self.assertEqual(await self.status("/socket", {"Cookie": "user=Ada"}), 401)
        self.assertEqual(await self.status("/socket", self.cookie(secret="another")), 401)

    @gen_test
    async def test_the_name_is_that_of_the_cookie(self) -> None:
        """C224, C226"""
        for name in ("Ada", "Zoë"):
            socket = await self.connect("/socket", self.cookie(name))
            await socket.write_message("hi")
            self.assertEqual(await socket.read_message(), f"{name} said 'hi'")

    @gen_test
    async def test_a_foreign_page_gets_no_socket_though_the_cookie_is_right(self) -> None:
        """C220, C226: the browser of Ada sends her cookie with a handshake of any page."""
        self.assertEqual(await self.status("/socket", self.cookie() | {"Origin": EVIL}), 403)

    @gen_test
    async def test_a_socket_outlives_the_logout(self) -> None:
        """C226: the cookie was read once, at the handshake."""
        socket = await self.connect("/socket", self.cookie())
        response = await self.http_client.fetch(self.get_url("/"))
        token = response.headers["Set-Cookie"].partition("_xsrf=")[2].partition(";")[0]
        await self.http_client.fetch(
            self.get_url("/logout"),
            method="POST",
            body=f"_xsrf={token}",
            headers={"Cookie": f"{self.cookie()['Cookie']}; _xsrf={token}"},
        )
        await socket.write_message("still here")
        self.assertEqual(await socket.read_message(), "Ada said 'still here'")


class LoginPageTest(CookieClientCase):
    def get_app(self) -> tornado.web.Application:
        return login.make_app(SECRET)

    def test_login_and_logout(self) -> None:
        """C226"""
        self.assertIn(b'action="/login"', self.get().body)
        body = f"_xsrf={self.jar['_xsrf']}&name=%3Cb%3EAda"
        self.assertEqual(self.post("/login", body).code, 303)
        self.assertIn(b"&lt;b&gt;Ada</strong>", self.get().body)
        self.assertEqual(self.post("/logout", f"_xsrf={self.jar['_xsrf']}").code, 303)
        self.assertIn(b'action="/login"', self.get().body)

    def test_the_forms_need_a_token_and_the_handshake_does_not(self) -> None:
        """C226: xsrf_cookies looks at POST and its like; a handshake is a GET."""
        self.assertEqual(self.post("/login", "name=Ada").code, 403)
        response = self.get("/socket", headers=dict(UPGRADE_HEADERS))
        self.assertEqual(response.code, 401)


class AuthenticatedHandler(WebSocketHandler):
    def get_current_user(self) -> None:
        return None

    @tornado.web.authenticated  # may return None, which WebSocketHandler.get() never does
    async def get(self, *args: str, **kwargs: str) -> None:  # type: ignore[override]
        await super().get(*args, **kwargs)


class AuthenticatedTest(WebSocketTestCase):
    def get_app(self) -> tornado.web.Application:
        return tornado.web.Application([("/", AuthenticatedHandler)], login_url="/login")

    @gen_test
    async def test_authenticated_answers_302_which_no_socket_follows(self) -> None:
        """C226"""
        self.assertEqual(await self.status("/"), 302)
