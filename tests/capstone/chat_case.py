"""A running chat for a test case, and people who use it."""

import asyncio
import socket
import tempfile
import threading
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, ClassVar, Protocol
from unittest import mock

import sqlalchemy as sa
import tornado.httpclient
import tornado.iostream
import tornado.tcpclient
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
from capstone_chat.storage import compiled
from capstone_chat.storage.database import Database
from capstone_chat.storage.tables import users
from capstone_chat.storage.write_connection import WriteConnection
from capstone_chat.text import names
from tests.capstone import databases
from tests.support.api_session import ApiSession
from tests.support.chat_accounts import captcha_answer
from tests.support.chat_client import ChatSocket, handshake_headers
from tests.support.websocket_frames import handshake

PASSWORD = "correct horse battery"
LESS_THAN_A_PING = 15
"""Seconds in which no check at a ping ends a connection."""
HASH = (
    "$argon2id$v=19$m=19456,t=2,p=1$"
    "zttSv9VqaN9rtTktsOLiPg$Bzmy/NKNI6TqbfOsF1UM75u0d8ViwjTMn66cyl4zFHk"
)
"""What is stored of it."""


Closable = tornado.websocket.WebSocketClientConnection | tornado.iostream.IOStream


class RunningChat(Protocol):
    """A chat that people can use: in this process or in another one."""

    http_client: tornado.httpclient.AsyncHTTPClient
    opened: list[Closable]

    def get_url(self, path: str) -> str: ...

    def get_http_port(self) -> int: ...

    def answer(self, challenge: str) -> str: ...


class Person(ApiSession):
    """Somebody at a browser: forms, calls of the API and connections.

    Args:
        case: the running chat.
        name: the user name.
    """

    def __init__(self, case: RunningChat, name: str) -> None:
        super().__init__(case.get_url(""), http=case.http_client)
        self.case = case
        self.name = name
        self.id = 0

    async def fill(self, form: str, **fields: str) -> tornado.httpclient.HTTPResponse:
        """Open a form, answer its captcha from the database, and send it with these fields."""
        return await self.fill_in(f"/{form}", self.case.answer, **fields)

    async def register(self, nickname: str = "", **fields: str) -> tornado.httpclient.HTTPResponse:
        """Register, and be logged in."""
        own = {"name": self.name, "password": PASSWORD, "confirmation": PASSWORD}
        return await self.fill("register", **own | {"nickname": nickname} | fields)

    async def login(self, **fields: str) -> tornado.httpclient.HTTPResponse:
        """Log in."""
        return await self.fill("login", **{"name": self.name, "password": PASSWORD} | fields)

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

    async def log_out(self) -> tornado.httpclient.HTTPResponse:
        """Send the form that logs out."""
        return await self.submit("/logout", {"_xsrf": await self.token()})

    async def send_json(
        self, method: str, path: str, body: str | bytes, **headers: str
    ) -> tornado.httpclient.HTTPResponse:
        """Send JSON as it is, with the XSRF token unless `headers` differ."""
        own = {"X-XSRFToken": await self.token(), "Content-Type": "application/json"}
        return await self.fetch(path, method=method, body=body, headers=own | headers)

    async def put_picture(self, data: bytes, **headers: str) -> tornado.httpclient.HTTPResponse:
        """Upload a picture."""
        own = {"X-XSRFToken": await self.token(), "Content-Type": "image/png"}
        return await self.fetch("/api/me/picture", method="PUT", body=data, headers=own | headers)

    async def open_upload(self, **headers: str) -> tornado.iostream.IOStream:
        """Send the head of an upload, and none of its body."""
        stream = await tornado.tcpclient.TCPClient().connect("127.0.0.1", self.case.get_http_port())
        self.case.opened.append(stream)
        lines = {
            "Host": self.url.partition("//")[2],
            "X-XSRFToken": await self.token(),
            "Cookie": self.cookie,
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        await stream.write(f"PUT /api/me/picture HTTP/1.1\r\n{head}\r\n".encode())
        return stream

    async def me(self) -> dict[str, Any]:
        """Return the user as the page shows it."""
        return dict((await self.call("GET", "/api/state"))[1]["user"])

    async def connect(self, **headers: str) -> "Line":
        """Open a connection and wait for its hello."""
        line = await self.open_socket(**headers)
        line.hello = await line.receive("hello")
        return line

    def handshake(self, **headers: str) -> dict[str, str]:
        """Return the headers of a browser on the chat's own page, changed by `headers`."""
        return handshake_headers(self.url, self.cookie, headers)

    async def open_socket(self, **headers: str) -> "Line":
        """Open a connection, as a browser on the chat's own page does unless `headers` differ."""
        line = await Line.open(self.url, self.cookie, headers)
        self.case.opened.append(line.socket)
        return line

    async def open_stream(self) -> tornado.iostream.IOStream:
        """Open a connection as bytes, for clients that do what no browser does."""
        connection = socket.socket()
        # A small window: what the client does not read waits in the server, not in the kernel.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        stream = tornado.iostream.IOStream(connection)
        self.case.opened.append(stream)
        await stream.connect(("127.0.0.1", self.case.get_http_port()))
        await stream.write(handshake(self.url.partition("//")[2], self.handshake()))
        return stream


class Line(ChatSocket):
    """A connection that keeps all events."""

    def __init__(self, socket: tornado.websocket.WebSocketClientConnection) -> None:
        super().__init__(socket)
        self.seen: list[dict[str, Any]] = []

    # Short names, since the tests use them in most lines.
    say = ChatSocket.send_frame
    closed = ChatSocket.wait_closed

    async def next_event(self) -> dict[str, Any] | None:
        """Return the next event and keep it, or None when the connection is closed."""
        event = await super().next_event()
        if event is not None:
            self.seen.append(event)
        return event

    async def heard(self) -> list[dict[str, Any]]:
        """Return all that has come and was not received yet: the pong comes after it."""
        start = len(self.seen)
        await self.send_frame(type="ping")
        await self.receive("pong")
        return self.seen[start:-1]


def before_each_commit(action: Callable[[], None]) -> AbstractContextManager[Any]:
    """Call `action` in the writer's thread before each commit, while the block runs."""
    real = WriteConnection._commit

    def commit(self: WriteConnection) -> None:
        action()
        real(self)

    return mock.patch.object(WriteConnection, "_commit", commit)


@contextmanager
def noted_statements(engine: sa.Engine) -> Iterator[list[tuple[str, Any]]]:
    """Keep every statement that is executed inside, with its (first) parameters."""
    said: list[tuple[str, Any]] = []
    execute = compiled._execute

    def keep(statement: str, parameters: Any, many: bool) -> None:
        said.append((statement, parameters[0] if many else parameters))

    def keep_compiled(
        connection: sa.Connection, sql: str, parameters: Any, *, many: bool = False, **how: Any
    ) -> Any:
        keep(sql, parameters, many)
        return execute(connection, sql, parameters, many=many, **how)

    def keep_other(
        _c: Any, _cursor: Any, statement: str, parameters: Any, _x: Any, many: bool
    ) -> None:
        keep(statement, parameters, many)

    sa.event.listen(engine, "before_cursor_execute", keep_other)
    try:
        with mock.patch.object(compiled, "_execute", keep_compiled):
            yield said
    finally:
        sa.event.remove(engine, "before_cursor_execute", keep_other)


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
        folder = Path(self.enterContext(tempfile.TemporaryDirectory(ignore_cleanup_errors=True)))
        self.file = folder / "chat.db"
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
        self.opened: list[Closable] = []
        super().setUp()
        self.io_loop.run_sync(self.gather)

    async def gather(self) -> None:
        """Prepare what all tests of a case need, such as people."""

    def get_app(self) -> tornado.web.Application:
        self.data = Path(self.enterContext(tempfile.TemporaryDirectory(ignore_cleanup_errors=True)))
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
            for each in self.opened:  # the chat would wait for them to say goodbye
                each.close()
            await self.chat.close()

        self.io_loop.run_sync(close)
        super().tearDown()

    def answer(self, challenge: str) -> str:
        """Return the answer of a captcha, from the database: the only place that has it."""
        return captcha_answer(self.chat.database.engine, challenge)

    async def person(self, name: str, nickname: str = "") -> Person:
        """Return a registered and logged-in user with the password `PASSWORD`.

        The method uses neither the forms nor a new hash, which saves time.
        """

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

        self.enterContext(mock.patch.object(owner, name, held))
        return called, go, over

    async def until(self, condition: Callable[[], bool]) -> None:
        """Let the loop turn until something holds; the test's own time limit ends the wait."""
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0)


class PeopleCase(ChatCase):
    """A chat that anna and bob use."""

    options = {"request_burst": 1000}  # noqa: RUF012

    async def gather(self) -> None:
        self.anna = await self.person("anna", "Anna")
        self.bob = await self.person("bob", "Bob")
