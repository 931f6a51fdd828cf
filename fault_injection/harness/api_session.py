"""What a page's script does by HTTP, and bare sockets for frames that no client would send."""

import json
import re
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlencode

import sqlalchemy as sa
import tornado.httpclient
import tornado.websocket

from capstone_chat.storage.tables import captchas

REQUEST_TIMEOUT = 60
"""Seconds until an answer is given up: the machine may be busy."""

ATTRIBUTE = re.compile(r'\b([\w-]+)="([^"]*)"')


class ApiSession:
    """An open page of a user.

    Args:
        cookie: the value of the Cookie header, with the session in it.
    """

    def __init__(self, http: tornado.httpclient.AsyncHTTPClient, cookie: str) -> None:
        self.http = http
        self.cookies = dict(pair.split("=", 1) for pair in cookie.split("; ") if pair)
        self.xsrf_token = ""
        self.visits = 0

    @property
    def cookie(self) -> str:
        """The value of the Cookie header."""
        return "; ".join(f"{name}={value}" for name, value in self.cookies.items())

    async def fetch(self, url: str, **more: Any) -> tornado.httpclient.HTTPResponse:
        """Ask with this page's cookies; errors and redirects come back as they are."""
        headers = {"Cookie": self.cookie, **more.pop("headers", {})}
        response = await self.http.fetch(
            url,
            headers=headers,
            follow_redirects=False,
            raise_error=False,
            request_timeout=REQUEST_TIMEOUT,
            **more,
        )
        for line in response.headers.get_list("Set-Cookie"):
            self.cookies |= {name: morsel.value for name, morsel in SimpleCookie(line).items()}
        return response

    async def open(self, url: str) -> None:
        """Load the page, for the token that its calls carry."""
        page = (await self.fetch(f"{url}/")).body.decode()
        found = re.search(r'<meta name="xsrf" content="([^"]+)"', page)
        if found is None:
            raise ValueError(f"this page has no token: {page[:200]}")
        self.xsrf_token = found[1]

    async def hidden_fields(self, url: str) -> dict[str, str]:
        """Load a page with a form and return its hidden fields."""
        page = (await self.fetch(url)).body.decode()
        inputs = [dict(ATTRIBUTE.findall(tag)) for tag in re.findall(r"<input\b[^>]*>", page)]
        return {one["name"]: one.get("value", "") for one in inputs if one["type"] == "hidden"}

    async def login(self, url: str, name: str, password: str, engine: sa.Engine) -> int:
        """Log in by the form, with its captcha answered from the database; return the status."""
        hidden = await self.hidden_fields(f"{url}/login")
        with engine.connect() as connection:
            query = sa.select(captchas.c.answer).where(captchas.c.id == hidden["captcha_id"])
            answer = connection.execute(query).scalar_one()
        fields = {**hidden, "captcha": answer, "name": name, "password": password}
        return (await self.fetch(f"{url}/login", method="POST", body=urlencode(fields))).code

    async def call(
        self, method: str, url: str, body: dict[str, Any] | None = None
    ) -> tuple[int, dict[str, Any]]:
        """Call the API; return the status and the JSON answer."""
        more: dict[str, Any] = {}
        if method != "GET":
            more["body"] = json.dumps(body or {})
            more["headers"] = {"X-XSRFToken": self.xsrf_token, "Content-Type": "application/json"}
            more["allow_nonstandard_methods"] = True  # a DELETE with a body
        response = await self.fetch(url, method=method, **more)
        return response.code, json.loads(response.body or b"{}")


class RawConnection:
    """An open socket without a client's good manners."""

    def __init__(self, socket: tornado.websocket.WebSocketClientConnection) -> None:
        self.socket = socket
        self.closed = False

    @classmethod
    async def open(cls, url: str, cookie: str) -> "RawConnection":
        """Connect and wait for the hello."""
        request = tornado.httpclient.HTTPRequest(
            url.replace("http", "ws", 1) + "/ws", headers={"Cookie": cookie, "Origin": url}
        )
        connection = cls(await tornado.websocket.websocket_connect(request))
        await connection.receive("hello")
        return connection

    async def send(self, **frame: Any) -> None:
        """Send a frame."""
        await self.socket.write_message(json.dumps(frame))

    async def receive(self, *types: str) -> dict[str, Any]:
        """Return the next event of these types.

        Raises:
            ConnectionError: the socket was closed before.
        """
        while (message := await self.socket.read_message()) is not None:
            event: dict[str, Any] = json.loads(message)
            if event["type"] in types:
                return event
        self.closed = True
        raise ConnectionError(f"closed with {self.socket.close_code}")

    async def close(self) -> None:
        """Close it and wait until it is."""
        self.socket.close()
        while not self.closed:
            self.closed = await self.socket.read_message() is None
