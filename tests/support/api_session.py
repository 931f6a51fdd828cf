"""The HTTP side of a client: cookies, the XSRF token, forms and calls of the API."""

import html
import json
import re
from collections.abc import Callable, Mapping
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlencode

import tornado.httpclient

REQUEST_TIMEOUT = 60
"""Seconds until a request fails with status 599. A busy machine may answer slowly."""

XSRF_COOKIE = re.compile("(__Host-)?xsrf-")


def attributes(tag: str) -> dict[str, str]:
    """Return the attributes of an HTML tag that have a value in double quotes."""
    return dict(re.findall(r'\b([\w-]+)="([^"]*)"', tag))


def token_of(page: str) -> str:
    """Return the XSRF token in the HTML of the chat's page.

    Raises:
        ValueError: the page has no token, such as the login page.
    """
    found = re.search(r'<meta name="xsrf" content="([^"]+)"', page)
    if found is None:
        raise ValueError(f"a page without an XSRF token: {page[:200]}")
    return found[1]


class ApiSession:
    """One browser profile: it keeps cookies and calls the API as the page's script does.

    Args:
        url: scheme, host and port of the chat.
        cookie: value of a Cookie header to start with, such as that of a session.
        http: sends the requests; by default the shared client of the event loop.
    """

    def __init__(
        self, url: str, cookie: str = "", http: tornado.httpclient.AsyncHTTPClient | None = None
    ) -> None:
        """Start with the given cookies. Nothing is requested yet."""
        self.url = url
        self.http = http
        self.cookies = dict(pair.split("=", 1) for pair in cookie.split("; ") if pair)
        self._token = ""
        self._token_cookie = ""

    @property
    def cookie(self) -> str:
        """The value of the Cookie header."""
        return "; ".join(f"{name}={value}" for name, value in self.cookies.items())

    async def fetch(
        self, path: str, *, headers: Mapping[str, str] | None = None, **options: Any
    ) -> tornado.httpclient.HTTPResponse:
        """Send a request with the cookies, and keep the cookies of the response.

        Errors and redirects are returned, not raised or followed.

        Args:
            path: path and query.
            headers: headers besides Cookie.
            options: further arguments of `tornado.httpclient.HTTPRequest`.
        """
        options.setdefault("request_timeout", REQUEST_TIMEOUT)
        http = self.http or tornado.httpclient.AsyncHTTPClient()
        response = await http.fetch(
            f"{self.url}{path}",
            headers={"Cookie": self.cookie, **(headers or {})},
            follow_redirects=False,
            raise_error=False,
            **options,
        )
        for line in response.headers.get_list("Set-Cookie"):
            for name, morsel in SimpleCookie(line).items():
                self.cookies[name] = morsel.value
                if not morsel.value:  # a cookie is deleted by an empty value
                    del self.cookies[name]
        return response

    async def token(self) -> str:
        """Return the XSRF token for `X-XSRFToken`. The page is loaded when the token is not known.

        Raises:
            ValueError: the page has no token, because no user is logged in.
        """
        if not self._token or self._token_cookie not in self.cookies.values():
            self._token = token_of((await self.fetch("/")).body.decode())
            found = (value for name, value in self.cookies.items() if XSRF_COOKIE.match(name))
            self._token_cookie = next(found)
        return self._token

    async def call(
        self, method: str, path: str, body: Any = None, **options: Any
    ) -> tuple[int, dict[str, Any]]:
        """Call the API.

        Args:
            method: the HTTP method. Every method but GET carries the XSRF token and a JSON body.
            path: path and query.
            body: the JSON body; an empty object by default.
            options: further arguments of `fetch`.

        Returns:
            The status and the JSON answer; an empty object if the response has no body.
        """
        headers = {}
        if method != "GET":
            options["body"] = json.dumps({} if body is None else body)
            options["allow_nonstandard_methods"] = True  # for a DELETE with a body
            headers = {"X-XSRFToken": await self.token(), "Content-Type": "application/json"}
        response = await self.fetch(path, method=method, headers=headers, **options)
        return response.code, json.loads(response.body or b"{}")

    async def hidden_fields(self, path: str) -> dict[str, str]:
        """Load a page with a form and return the hidden fields of the form by name."""
        page = (await self.fetch(path)).body.decode()
        fields = map(attributes, re.findall(r"<input\b[^>]*>", page))
        return {
            field["name"]: html.unescape(field.get("value", ""))
            for field in fields
            if field.get("type") == "hidden"
        }

    async def submit(
        self, path: str, fields: Mapping[str, str], **options: Any
    ) -> tornado.httpclient.HTTPResponse:
        """Send a form as it is; the fields must hold the XSRF token.

        Args:
            path: path and query.
            fields: the fields by name.
            options: further arguments of `fetch`.
        """
        return await self.fetch(path, method="POST", body=urlencode(fields), **options)

    async def fill_in(
        self, path: str, captcha_answer: Callable[[str], str], **fields: str
    ) -> tornado.httpclient.HTTPResponse:
        """Load a form, solve its captcha and send the form.

        Args:
            path: the page with the form: `/login` or `/register`.
            captcha_answer: returns the answer of a captcha by its id.
            fields: the other fields by name.
        """
        hidden = await self.hidden_fields(path)
        answer = captcha_answer(hidden["captcha_id"])
        return await self.submit(path, {**hidden, "captcha": answer, **fields})
