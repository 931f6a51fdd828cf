"""Base class of the tests of lesson 10: people with browsers and sockets.

    class RoomTest(StageCase):
        def test_everybody_receives_a_message(self) -> None:
            ada, bob = self.connect("Ada"), self.connect("Bob")
            ada.send("hello")
            bob.expect("message", text="hello")

A person uses what a stage has: from stage 2 on it registers, from stage 3 on it solves the captcha.
So the tests of a stage also run on all later stages.
"""

import html
import importlib
import inspect
import itertools
import json
import os
import re
import sys
import tempfile
import uuid
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar
from urllib.parse import urlencode

import tornado.web
from tornado.httpclient import HTTPRequest, HTTPResponse
from tornado.testing import AsyncHTTPTestCase
from tornado.websocket import WebSocketClientConnection, websocket_connect

from course.translation import translate

FRAME_TIMEOUT = float(os.environ.get("FRAME_TIMEOUT", "2"))
"""Seconds in which an expected frame must arrive. The server runs in the same process."""
MEMORY = Path("/dev/shm")  # noqa: S108  # the name is made by tempfile
LOBBY = 1
"""The id of the group in which all users are members."""
PASSWORD = "correct horse battery"  # noqa: S105
INPUT = re.compile(r"<input\b[^>]*>")
ATTRIBUTE = re.compile(r'(\w+)=["\']([^"\']*)["\']')

_names = itertools.count(1)
_loaded: dict[Path, dict[str, ModuleType]] = {}


def load_stage(folder: Path) -> dict[str, ModuleType]:
    """Import the modules of a stage, beside those of other stages with the same names.

    Args:
        folder: it holds app.py and what app.py imports.

    Returns:
        The modules by name, such as "app" and "hub".
    """
    folder = folder.resolve()
    if folder not in _loaded:
        names = [path.stem for path in folder.glob("*.py") if path.stem != "test_stage"]
        for name in names:
            sys.modules.pop(name, None)
        sys.path.insert(0, str(folder))
        importlib.invalidate_caches()
        try:
            importlib.import_module("app")
            modules = {name: sys.modules[name] for name in names if name in sys.modules}
        finally:
            sys.path.remove(str(folder))
            for name in names:
                sys.modules.pop(name, None)
        _use_cheap_hashes(modules)
        _loaded[folder] = modules
    return _loaded[folder]


def _use_cheap_hashes(modules: Mapping[str, ModuleType]) -> None:
    """Make the hash of a password cost a millisecond: the tests register hundreds of people."""
    if "accounts" in modules and hasattr(modules["accounts"], "HASHER"):
        import argon2

        hasher = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
        modules["accounts"].HASHER = hasher  # type: ignore[attr-defined]


def describe_frames(frames: list[dict[str, Any]]) -> str:
    """Return frames as a text; of more than three, only the last one and the number."""
    if not frames:
        return translate("nothing")
    if len(frames) <= 3:
        return ", ".join(json.dumps(frame, ensure_ascii=False) for frame in frames)
    last = json.dumps(frames[-1], ensure_ascii=False)
    return translate("{count} frames, the last of them {last}", count=len(frames), last=last)


class StageCase(AsyncHTTPTestCase):
    """Serves the chat in `folder` on a free port, with a database of its own.

    Attributes:
        folder: the folder of the stage or of the learner's copy.
    """

    folder: ClassVar[Path]

    def setUp(self) -> None:
        """Make a folder for the database."""
        # In memory if possible: each commit to a disk waits until the disk has written it.
        self._directory = tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None)
        self._sockets: list[ClientSocket] = []
        self._has_accounts: bool | None = None
        super().setUp()

    def get_app(self) -> tornado.web.Application:
        """Return the application of the stage, with a database of its own."""
        self.modules = load_stage(self.folder)
        make_app = self.modules["app"].make_app
        self.file = Path(self._directory.name) / "chat.db"
        arguments = (self.file,) if inspect.signature(make_app).parameters else ()
        app: tornado.web.Application = make_app(*arguments)
        return app

    def get_httpserver_options(self) -> dict[str, Any]:
        """Return SERVER_OPTIONS of app.py, if the stage has them."""
        options: dict[str, Any] = getattr(self.modules["app"], "SERVER_OPTIONS", {})
        return options

    def tearDown(self) -> None:
        """Close the connections and the database."""
        self._close_app()
        super().tearDown()
        self._directory.cleanup()

    def restart(self) -> None:
        """Stop the chat and start it again with the same database, as after a crash."""
        self._close_app()
        self._app = self.get_app()
        self.http_server.request_callback = self._app

    def _close_app(self) -> None:
        for socket in self._sockets:
            socket.connection.close()
        for socket in self._sockets:
            socket.read_to_end()
        self._sockets.clear()
        if database := self._app.settings.get("database"):
            database.close()

    def person(self, nickname: str) -> "Person":
        """Return a new person: registered and logged in, if the stage has accounts."""
        person = Person(self, nickname)
        if self.has_accounts:
            person.register()
        return person

    @property
    def has_accounts(self) -> bool:
        """Whether the stage has a registration form."""
        if self._has_accounts is None:
            self._has_accounts = self.fetch("/register").code == 200
        return self._has_accounts

    def connect(self, nickname: str) -> "ClientSocket":
        """Return the socket of a new person."""
        return self.person(nickname).connect()

    def captcha_answer(self, captcha_id: str) -> str:
        """Return the text on the picture of a captcha."""
        row = self._app.settings["database"].connection.execute(
            "SELECT answer FROM captchas WHERE id = ?", (captcha_id,)
        )
        return str(row.fetchone()[0])


class Person:
    """A browser with the cookies of one person.

    Args:
        case: the test.
        nickname: the name that others see. The user name is made from it.
    """

    def __init__(self, case: StageCase, nickname: str) -> None:
        self.case = case
        self.nickname = nickname
        self.name = f"{nickname.lower()}{next(_names)}"
        self.cookies: dict[str, str] = {}

    def request(
        self,
        method: str,
        path: str,
        *,
        form: Mapping[str, str] | None = None,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> HTTPResponse:
        """Send a request with the cookies; keep those that the answer sets."""
        all_headers = {"Cookie": self.cookie_header} if self.cookies else {}
        if "_xsrf" in self.cookies:
            all_headers["X-XSRFToken"] = self.cookies["_xsrf"]
        if form is not None:
            body = urlencode(form).encode()
            all_headers["Content-Type"] = "application/x-www-form-urlencoded"
        response = self.case.fetch(
            path,
            method=method,
            body=body,
            headers=all_headers | dict(headers or {}),
            follow_redirects=False,
            allow_nonstandard_methods=True,
        )
        for line in response.headers.get_list("Set-Cookie"):
            name, _, value = line.partition(";")[0].partition("=")
            self.cookies[name] = value.strip('"')
            if not self.cookies[name]:
                del self.cookies[name]
        return response

    @property
    def cookie_header(self) -> str:
        """The header `Cookie`."""
        return "; ".join(f"{name}={value}" for name, value in self.cookies.items())

    def call(self, method: str, path: str, json_body: object = None) -> Any:
        """Call the API; return the JSON of an answer that must be a success."""
        response = self.try_call(method, path, json_body)
        self.case.assertIn(response.code, (200, 201, 204), f"{method} {path}: {response.body!r}")
        return json.loads(response.body) if response.body else None

    def try_call(self, method: str, path: str, json_body: object = None) -> HTTPResponse:
        """Call the API; return the answer, whatever it is."""
        body = None if json_body is None else json.dumps(json_body).encode()
        return self.request(method, path, body=body, headers={"Content-Type": "application/json"})

    def page(self) -> str:
        """Return the page of the chat."""
        path = "/" if self.cookies else f"/?{urlencode({'name': self.nickname})}"
        response = self.request("GET", path)
        self.case.assertEqual(response.code, 200, path)
        return response.body.decode()

    def fill_form(self, path: str, **fields: str) -> HTTPResponse:
        """Open a form, fill in the fields and send it; a captcha is solved."""
        page = self.request("GET", path).body.decode()
        inputs = [dict(ATTRIBUTE.findall(tag)) for tag in INPUT.findall(page)]
        hidden = {
            each["name"]: html.unescape(each["value"])
            for each in inputs
            if each.get("type") == "hidden"
        }
        if "captcha_id" in hidden:
            hidden["captcha"] = self.case.captcha_answer(hidden["captcha_id"])
        return self.request("POST", path, form=hidden | fields)

    def register(self, **fields: str) -> HTTPResponse:
        """Send the registration form; `fields` replace what it is filled in with."""
        given = {
            "name": self.name,
            "nickname": self.nickname,
            "password": PASSWORD,
            "confirmation": PASSWORD,
        }
        return self.fill_form("/register", **(given | fields))

    def login(self, **fields: str) -> HTTPResponse:
        """Send the login form; `fields` replace what it is filled in with."""
        return self.fill_form("/login", **({"name": self.name, "password": PASSWORD} | fields))

    def handshake(self, headers: Mapping[str, str] | None = None) -> HTTPRequest:
        """Return the request that opens the socket."""
        all_headers = {"Cookie": self.cookie_header} if self.cookies else {}
        url = self.case.get_url("/ws").replace("http", "ws", 1)
        if not self.cookies:
            url += "?" + urlencode({"name": self.nickname})
        return HTTPRequest(url, headers=all_headers | dict(headers or {}))

    def connect(self, headers: Mapping[str, str] | None = None) -> "ClientSocket":
        """Open the socket; raises HTTPClientError if the handshake is refused."""
        request = self.handshake(headers)
        connection = self.case.io_loop.run_sync(lambda: websocket_connect(request))
        socket = ClientSocket(self, connection)
        self.case._sockets.append(socket)
        return socket


class ClientSocket:
    """An open connection of a person.

    Attributes:
        received: the frames that `expect` and `settle` have read so far.
        closed: whether the end of the connection has been read.
    """

    def __init__(self, person: Person, connection: WebSocketClientConnection) -> None:
        self.person = person
        self.case = person.case
        self.connection = connection
        self.received: list[dict[str, Any]] = []
        self.closed = False

    def write(self, frame: object) -> None:
        """Send a frame: a text as it is, anything else as JSON."""
        text = frame if isinstance(frame, str) else json.dumps(frame)
        self.case.io_loop.run_sync(lambda: self._write(text))

    async def _write(self, text: str) -> None:
        await self.connection.write_message(text)

    def send(self, text: str, conv: int = LOBBY, cid: str = "") -> str:
        """Send a message; return its cid."""
        cid = cid or str(uuid.uuid4())
        self.write({"type": "send", "cid": cid, "conv": conv, "text": text})
        return cid

    def read(self) -> dict[str, Any] | None:
        """Return the next frame, or None at the end of the connection."""
        if self.closed:
            return None
        message = self.case.io_loop.run_sync(self.connection.read_message, FRAME_TIMEOUT)
        if message is None:
            self.closed = True
            return None
        frame: dict[str, Any] = json.loads(message)
        self.received.append(frame)
        return frame

    def expect(self, type_: str, **values: object) -> dict[str, Any]:
        """Read frames until one has this type and these values; return it.

        Raises:
            AssertionError: no such frame arrives.
        """
        skipped = []
        try:
            while (frame := self.read()) is not None:
                if frame["type"] == type_ and values.items() <= frame.items():
                    return frame
                skipped.append(frame)
            code = self.connection.close_code
            end = translate("the connection was closed with {code}", code=code)
        except TimeoutError:
            seconds = f"{FRAME_TIMEOUT:g}"
            end = translate("nothing more within {seconds} seconds", seconds=seconds)
        wanted = json.dumps({"type": type_} | values, ensure_ascii=False)
        received = describe_frames(skipped)
        message = translate(
            "expected {wanted}, received {received}; {end}",
            wanted=wanted,
            received=received,
            end=end,
        )
        raise AssertionError(message)

    def settle(self) -> list[dict[str, Any]]:
        """Return all frames that the server sends before it answers one more frame."""
        self.write({"type": "ping"})  # a stage without pings answers with an error
        frames: list[dict[str, Any]] = []
        while (frame := self.read()) is not None and frame["type"] not in ("pong", "error"):
            frames.append(frame)
        return frames

    def expect_close(self, code: int) -> None:
        """Read to the end of the connection, which must have this close code."""
        self.read_to_end()
        self.case.assertEqual(self.connection.close_code, code)

    def read_to_end(self) -> None:
        """Read all frames up to the end of the connection."""
        while self.read() is not None:
            pass
