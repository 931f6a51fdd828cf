"""A running chat for a test case, and people who use it."""

import asyncio
import html
import json
import re
import socket
import tempfile
import threading
import uuid
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any, ClassVar, Protocol
from unittest import mock
from urllib.parse import urlencode

import sqlalchemy as sa
import tornado.httpclient
import tornado.iostream
import tornado.testing
import tornado.web
import tornado.websocket

from capstone_chat import urls
from capstone_chat.app import make_app
from capstone_chat.conversations.users import USER_COLUMNS, User
from capstone_chat.handlers.cookies import cookie_name
from capstone_chat.options import Options
from capstone_chat.server import Server
from capstone_chat.services import Services
from capstone_chat.storage.database import Database
from capstone_chat.storage.tables import captchas, users
from capstone_chat.text import names
from tests.capstone import databases

PASSWORD = "correct horse battery"
HASH = (
    "$argon2id$v=19$m=19456,t=2,p=1$"
    "zttSv9VqaN9rtTktsOLiPg$Bzmy/NKNI6TqbfOsF1UM75u0d8ViwjTMn66cyl4zFHk"
)
"""What is stored of it."""


def attributes(tag: str) -> dict[str, str]:
    """Return the attributes of an HTML tag that have a value in double quotes."""
    return dict(re.findall(r'\b([\w-]+)="([^"]*)"', tag))


class RunningChat(Protocol):
    """A chat that people can use: in this process or in another one."""

    http_client: tornado.httpclient.AsyncHTTPClient
    lines: "list[Line]"

    def get_url(self, path: str) -> str: ...

    def get_http_port(self) -> int: ...

    def answer(self, challenge: str) -> str: ...

    def addCleanup(self, function: Callable[[], Any], /) -> None: ...


class Person:
    """Somebody at a browser: cookies, forms, JSON calls and sockets.

    Args:
        case: the running chat.
        name: the user name.
    """

    def __init__(self, case: RunningChat, name: str) -> None:
        self.case = case
        self.name = name
        self.id = 0
        self.cookies: dict[str, str] = {}
        self._token = ("", "")

    @property
    def cookie(self) -> str:
        return "; ".join(f"{name}={value}" for name, value in self.cookies.items())

    async def fetch(
        self, path: str, *, headers: dict[str, str] | None = None, **more: Any
    ) -> tornado.httpclient.HTTPResponse:
        """Ask for a path with this person's cookies; errors and redirects come back as they are."""
        response = await self.case.http_client.fetch(
            self.case.get_url(path),
            headers={"Cookie": self.cookie, **(headers or {})},
            follow_redirects=False,
            raise_error=False,
            **more,
        )
        for line in response.headers.get_list("Set-Cookie"):
            for name, morsel in SimpleCookie(line).items():
                self.cookies[name] = morsel.value
                if not morsel.value:
                    del self.cookies[name]
        return response

    async def form(self, path: str) -> dict[str, str]:
        """Open a page with a form and return its hidden fields."""
        page = (await self.fetch(path)).body.decode()
        inputs = map(attributes, re.findall(r"<input\b[^>]*>", page))
        return {
            field["name"]: html.unescape(field.get("value", ""))
            for field in inputs
            if field.get("type") == "hidden"
        }

    async def submit(
        self, path: str, fields: dict[str, str], **more: Any
    ) -> tornado.httpclient.HTTPResponse:
        """Send a form."""
        return await self.fetch(path, method="POST", body=urlencode(fields), **more)

    async def fill(self, form: str, **fields: str) -> tornado.httpclient.HTTPResponse:
        """Open a form, answer its captcha from the database, and send it with these fields."""
        hidden = await self.form(f"/{form}")
        answer = self.case.answer(hidden["captcha_id"])
        return await self.submit(f"/{form}", {**hidden, "captcha": answer, **fields})

    async def register(self, nickname: str = "", **fields: str) -> tornado.httpclient.HTTPResponse:
        """Register, and be logged in."""
        own = {"name": self.name, "password": PASSWORD, "confirmation": PASSWORD}
        return await self.fill("register", **own | {"nickname": nickname} | fields)

    async def login(self, **fields: str) -> tornado.httpclient.HTTPResponse:
        """Log in."""
        return await self.fill("login", **{"name": self.name, "password": PASSWORD} | fields)

    async def token(self) -> str:
        """Return the token that the page's script sends with each call."""
        cookie, token = self._token
        if not cookie or cookie not in self.cookies.values():
            page = (await self.fetch("/")).body.decode()
            found = re.search(r'<meta name="xsrf" content="([^"]+)"', page)
            assert found, page
            token = found[1]
            xsrf = re.compile("(__Host-)?xsrf-")
            cookie = next(c for name, c in self.cookies.items() if xsrf.match(name))
            self._token = cookie, token
        return token

    async def call(
        self, method: str, path: str, body: Any = None, **more: Any
    ) -> tuple[int, dict[str, Any]]:
        """Call the API as the page's script does; return the status and the JSON answer."""
        headers = {}
        if method != "GET":
            more["body"] = json.dumps({} if body is None else body)
            headers = {"X-XSRFToken": await self.token(), "Content-Type": "application/json"}
            more["allow_nonstandard_methods"] = True  # a DELETE with a body
        response = await self.fetch(path, method=method, headers=headers, **more)
        return response.code, json.loads(response.body or b"{}")

    async def group(self, title: str = "Garden", description: str = "") -> int:
        """Make a group and return its id."""
        body = {"title": title, "description": description}
        code, answer = await self.call("POST", "/api/groups", body)
        assert code == 201, answer
        return int(answer["conversation"]["id"])

    async def join(self, conv: int) -> dict[str, Any]:
        """Join a group and return it."""
        code, answer = await self.call("POST", f"/api/groups/{conv}/join")
        assert code == 200, answer
        return dict(answer["conversation"])

    async def connect(self, **headers: str) -> "Line":
        """Open a socket and wait for its hello."""
        line = await self.open_socket(**headers)
        line.hello = await line.receive("hello")
        return line

    def handshake(self, **headers: str) -> dict[str, str]:
        """Return what a browser on the chat's own page says to open a socket."""
        given = {"Cookie": self.cookie, "Origin": self.case.get_url("")} | headers
        return {name: value for name, value in given.items() if value}

    async def open_socket(self, **headers: str) -> "Line":
        """Open a socket, as a browser on the chat's own page does unless `headers` differ."""
        request = tornado.httpclient.HTTPRequest(
            self.case.get_url("/ws").replace("http", "ws", 1), headers=self.handshake(**headers)
        )
        line = Line(await tornado.websocket.websocket_connect(request))
        self.case.lines.append(line)
        return line

    async def open_stream(self) -> tornado.iostream.IOStream:
        """Open a socket as bare bytes, for clients that do what no browser does."""
        connection = socket.socket()
        # A small window: what the client does not read waits in the server, not in the kernel.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        stream = tornado.iostream.IOStream(connection)
        self.case.addCleanup(stream.close)
        await stream.connect(("127.0.0.1", self.case.get_http_port()))
        head = {
            "Host": self.case.get_url("").partition("//")[2],
            "Connection": "Upgrade",
            "Upgrade": "websocket",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        } | self.handshake()
        lines = "".join(f"{name}: {value}\r\n" for name, value in head.items())
        await stream.write(f"GET /ws HTTP/1.1\r\n{lines}\r\n".encode())
        return stream


class Line:
    """A client's end of a socket."""

    def __init__(self, socket: tornado.websocket.WebSocketClientConnection) -> None:
        self.socket = socket
        self.hello: dict[str, Any] = {}
        self.seen: list[dict[str, Any]] = []

    async def say(self, **frame: Any) -> None:
        """Send a frame."""
        await self.socket.write_message(json.dumps(frame))

    async def send(self, conv: int, text: str, cid: str | None = None) -> str:
        """Send a message and return its cid."""
        cid = cid or str(uuid.uuid4())
        await self.say(type="send", cid=cid, conv=conv, text=text)
        return cid

    async def receive(self, type: str | None = None) -> dict[str, Any]:
        """Return the next event, or the next one of a type."""
        while True:
            message = await self.socket.read_message()
            assert message is not None, f"closed with {self.socket.close_code}"
            event: dict[str, Any] = json.loads(message)
            self.seen.append(event)
            if type is None or event["type"] == type:
                return event

    async def heard(self) -> list[dict[str, Any]]:
        """Return all that has come and was not received yet: the pong comes after it."""
        start = len(self.seen)
        await self.say(type="ping")
        await self.receive("pong")
        return self.seen[start:-1]

    async def closed(self) -> int | None:
        """Wait until the server closes the socket and return its code."""
        while await self.socket.read_message() is not None:
            pass
        return self.socket.close_code


def answer(engine: sa.Engine, challenge: str) -> str:
    """Return the answer of a captcha."""
    query = sa.select(captchas.c.answer).where(captchas.c.id == challenge)
    with engine.connect() as connection:
        return str(connection.execute(query).scalar_one())


@asynccontextmanager
async def held_up(database: Database) -> AsyncGenerator[None, None]:
    """Let all that is written inside this block wait, and share the commit after it."""
    reached, go = threading.Event(), threading.Event()

    def wait(_connection: sa.Connection, items: list[None]) -> list[None]:
        reached.set()
        go.wait()
        return items

    database.enqueue(wait, None, lambda _result: None)
    try:
        await asyncio.to_thread(reached.wait)
        yield
    finally:
        go.set()


class DatabaseCase(tornado.testing.AsyncTestCase):
    """A test case with a database of its own, brought up to date, and nothing else of the chat."""

    only_sqlite: ClassVar[bool] = False
    """It is about SQLite itself, whatever the others run on."""

    def setUp(self) -> None:
        super().setUp()
        folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        self.addCleanup(folder.cleanup)
        self.file = Path(folder.name) / "chat.db"
        server = "" if self.only_sqlite else databases.chosen_url()
        self.url = server or str(urls.sqlite_url(self.file))
        if not server:
            databases.make_file(self.file)
        self.database = Database(self.url)

    def tearDown(self) -> None:
        self.io_loop.run_sync(self.database.close)
        super().tearDown()


class ChatCase(tornado.testing.AsyncHTTPTestCase):
    """A test case with a chat of its own, on a database of its own."""

    options: ClassVar[dict[str, Any]] = {}
    only_sqlite: ClassVar[bool] = False
    """It is about SQLite itself, whatever the others run on."""

    def setUp(self) -> None:
        self.lines: list[Line] = []
        super().setUp()

    def get_app(self) -> tornado.web.Application:
        folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        self.addCleanup(folder.cleanup)
        self.data = Path(folder.name)
        options = self.make_options()
        if not options.database:
            databases.make_file(self.data / "chat.db")
        return make_app(options)

    def get_http_server(self) -> Server:
        return Server(self._app)

    def make_options(self) -> Options:
        url = "" if self.only_sqlite else databases.chosen_url()
        return Options(data=str(self.data), database=url, **self.options)

    @property
    def chat(self) -> Services:
        chat: Services = self._app.settings["chat"]
        return chat

    def tearDown(self) -> None:
        async def close() -> None:
            for line in self.lines:
                line.socket.close()
            await self.chat.close()

        self.io_loop.run_sync(close)
        super().tearDown()

    def answer(self, challenge: str) -> str:
        """Return the answer of a captcha, from the database: the only place that has it."""
        return answer(self.chat.database.engine, challenge)

    async def person(self, name: str, nickname: str = "") -> Person:
        """Return somebody who is registered with `PASSWORD` and logged in, without the forms and
        without the time that a hash takes."""

        async def ready(_password: str) -> str:
            return HASH

        name = names.normalize(name)
        with mock.patch.object(self.chat.accounts._passwords, "hash", ready):
            nickname = names.normalize(nickname) or name
            login = await self.chat.accounts.register(name, PASSWORD, nickname, "a browser")
        person = Person(self, name)
        person.id = login.user.id
        self.set_session(person, login.token)
        return person

    async def enter(self, person: Person) -> None:
        """Log somebody in, in this browser."""
        query = sa.select(*USER_COLUMNS).where(users.c.id == person.id)

        def start(connection: sa.Connection) -> str:
            user = User(*connection.execute(query).one())
            return self.chat.sessions.create(connection, user, "a browser")[0]

        self.set_session(person, await self.chat.database.write(start))

    def set_session(self, person: Person, token: str) -> None:
        """Give a browser the cookie of a session."""
        name = self.cookie_name("session")
        person.cookies[name] = self.sign(name, token)

    def cookie_name(self, name: str) -> str:
        """Return the name under which the chat sets a cookie."""
        secret = self._app.settings["cookie_secret"]
        return cookie_name(name, secret, secure=self.chat.options.secure)

    def sign(self, name: str, value: str) -> str:
        """Return the content of a cookie as the chat would set it."""
        secret = self._app.settings["cookie_secret"]
        return tornado.web.create_signed_value(secret, name, value).decode()

    async def another_browser(self, person: Person) -> Person:
        """Return the same person, logged in once more."""
        other = Person(self, person.name)
        other.id = person.id
        await self.enter(other)
        return other

    def hold(self, owner: object, name: str) -> tuple[asyncio.Event, asyncio.Event, asyncio.Event]:
        """Let the first call of a method wait; return events: it was called, go on, it is over."""
        real: Callable[..., Any] = getattr(owner, name)
        called, go, over = asyncio.Event(), asyncio.Event(), asyncio.Event()

        async def held(*arguments: Any, **more: Any) -> Any:
            result = await real(*arguments, **more)
            if not called.is_set():
                called.set()
                await go.wait()
                over.set()
            return result

        patch = mock.patch.object(owner, name, held)
        patch.start()
        self.addCleanup(patch.stop)
        return called, go, over

    async def until(self, condition: Callable[[], bool]) -> None:
        """Let the loop turn until something holds; the test's own time limit ends the wait."""
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0)
