"""Test cases whose client keeps cookies, as a browser does, and reads what was set."""

from http.cookies import SimpleCookie
from typing import Any

from tornado.httpclient import HTTPResponse
from tornado.testing import AsyncHTTPTestCase

from tests.support.lesson_case import LogTestCase


def cookies_set_by(response: HTTPResponse) -> SimpleCookie:
    """All cookies that a response sets, by name, with their attributes."""
    return SimpleCookie("; ".join(response.headers.get_list("Set-Cookie")))


class CookieClientCase(LogTestCase, AsyncHTTPTestCase):
    """One visitor; `jar` holds the cookies that go with each request, whatever their path."""

    def setUp(self) -> None:
        super().setUp()
        self.jar: dict[str, str] = {}

    def get(self, path: str = "/", **options: Any) -> HTTPResponse:
        return self.send("GET", path, **options)

    def post(self, path: str = "/", body: str | bytes = "", **options: Any) -> HTTPResponse:
        return self.send("POST", path, body=body, **options)

    def send(self, method: str, path: str, **options: Any) -> HTTPResponse:
        """Send one request with the jar; keep what the response sets; follow no redirect."""
        headers = options.pop("headers", {})
        if self.jar:
            headers |= {"Cookie": "; ".join(f"{name}={self.jar[name]}" for name in self.jar)}
        response = self.fetch(
            path,
            method=method,
            headers=headers,
            follow_redirects=False,
            allow_nonstandard_methods=True,
            **options,
        )
        for name, morsel in cookies_set_by(response).items():
            self.jar[name] = morsel.value
            if not morsel.value:  # as clear_cookie leaves it
                del self.jar[name]
        return response
