"""Lesson 04: the messages of TROUBLESHOOTING.md, provoked."""

import gc
import warnings
from collections.abc import Callable

import tornado.web

from tests.support.lesson_case import RoutesHTTPTestCase

Handler = tornado.web.RequestHandler


class GetHandler(Handler):
    """Calls what the route says; a POST only ever gets as far as the checks."""

    def initialize(self, do: Callable[[Handler], None]) -> None:
        self.do = do

    def get(self) -> None:
        self.do(self)

    def post(self) -> None:
        self.write("came through")


@tornado.web.authenticated
def members_only(handler: Handler) -> None:
    raise AssertionError("never reached")


def space(handler: Handler) -> None:
    handler.set_cookie("flavour", "oat milk")


def reserved(handler: Handler) -> None:
    handler.set_cookie("path", "oat")


def clear_with_end(handler: Handler) -> None:
    handler.clear_cookie("flavour", expires=0)


def sign_number(handler: Handler) -> None:
    handler.set_signed_cookie("visits", 7)  # type: ignore[arg-type]


def count_nothing(handler: Handler) -> None:
    int(handler.get_signed_cookie("visits"))  # type: ignore[arg-type]


def sign(handler: Handler) -> None:
    handler.set_signed_cookie("visits", "7")


IN_THE_LOG = {
    "Invalid cookie 'flavour'": space,
    "Attempt to set a reserved key": reserved,
    "clear_cookie() got an unexpected keyword argument": clear_with_end,
    "Expected bytes, unicode, or None; got <class 'int'>": sign_number,
    "a bytes-like object or a real number, not 'NoneType'": count_nothing,
    "You must define the 'login_url' setting": members_only,
}


class LoggedTestCase(RoutesHTTPTestCase):
    def assert_logged(self, message: str) -> None:
        self.assertIn(message, self.caplog.text)
        self.caplog.clear()


class SecretMessagesTest(LoggedTestCase):
    def get_app(self) -> tornado.web.Application:
        routes = [(f"/{do.__name__}", GetHandler, {"do": do}) for do in IN_THE_LOG.values()]
        return tornado.web.Application(routes, cookie_secret="a secret")

    def test_a_handler_that_fails_says_so_in_the_log(self) -> None:
        """C137, C143, C149, C150, C179"""
        for message, do in IN_THE_LOG.items():
            with self.subTest(message=message):
                self.assertEqual(self.get(f"/{do.__name__}").code, 500)
                self.assert_logged(message)


class MissingSecretTest(LoggedTestCase):
    routes = (("/", GetHandler, {"do": sign}),)

    def test_a_missing_secret_says_so(self) -> None:
        """C146"""
        self.get("/")
        self.assert_logged("You must define the 'cookie_secret' setting")


class MissingKeyVersionTest(LoggedTestCase):
    def get_app(self) -> tornado.web.Application:
        return tornado.web.Application([("/", GetHandler, {"do": sign})], cookie_secret={1: "a"})

    def test_a_missing_key_version_says_so(self) -> None:
        """C146"""
        self.get("/")
        self.assert_logged("key_version setting must be used for secret_key dicts")


class ForgedTest(LoggedTestCase):
    def get_app(self) -> tornado.web.Application:
        route = ("/", GetHandler, {"do": lambda handler: handler.write(handler.xsrf_token)})
        return tornado.web.Application([route], xsrf_cookies=True, cross_origin_protection=True)

    def test_a_missing_or_wrong_token_says_so(self) -> None:
        """C163"""
        self.post("/")
        self.assert_logged("'_xsrf' argument missing from POST")
        self.post("/", "_xsrf=2|x")
        self.assert_logged("'_xsrf' argument has invalid format")
        self.post("/", "_xsrf=abcd")
        self.assert_logged("XSRF cookie does not match POST argument")

    def test_a_foreign_origin_says_so(self) -> None:
        """C171"""
        token = self.text("/")
        headers = {"Cookie": f"_xsrf={token}", "X-XSRFToken": token}
        self.post("/", headers=headers | {"Sec-Fetch-Site": "same-site"})
        self.assert_logged("Sec-Fetch-Site same-site & origin")
        self.post("/", headers=headers | {"Origin": "https://evil.example"})
        self.assert_logged("Origin 'https://evil.example' not allowed")

    def test_the_default_page_names_the_status(self) -> None:
        """C163"""
        self.assertIn(b"403: Forbidden", self.post("/").body)


def test_a_coroutine_that_nobody_awaits_says_so() -> None:
    """C177"""

    async def get_current_user() -> None: ...

    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        forgotten = get_current_user()
        del forgotten
        gc.collect()
    assert any("get_current_user' was never awaited" in str(each.message) for each in seen)
