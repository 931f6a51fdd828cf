"""A tour in the process of the test, with a small course of its own, and a page that uses it."""

import json
import shutil
import tempfile
from pathlib import Path
from typing import Any, ClassVar

from tornado.httpclient import HTTPRequest, HTTPResponse
from tornado.testing import AsyncHTTPTestCase
from tornado.web import Application
from tornado.websocket import WebSocketClientConnection, websocket_connect

from course.catalog import Catalog
from course.progress import Progress
from course.tour.access import Access
from course.tour.runs import Supervisor
from course.tour.server import Tour, make_app
from tests.course.sample_course import make_course, write

SERVER = '''
"""A server."""
import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
import tornado.web
import tornado.websocket
from tornado.options import define, options, parse_command_line


class Handler(tornado.web.RequestHandler):
    def get(self):
        self.write("hello\\n")


async def main():
    define("port", default=8888)
    define("name", default="")
    parse_command_line()
    tornado.web.Application({routes}).listen(options.port, "localhost")
    print(f"Open http://localhost:{{options.port}}")
    {more}
    await asyncio.Event().wait()


asyncio.run(main())
'''
READ_LIMIT = 20.0
"""Seconds after which a test fails that waits for a message."""


class Page:
    """A page of the tour, as a browser has it: a token and a socket."""

    def __init__(self, socket: WebSocketClientConnection) -> None:
        self._socket = socket
        self.seen: list[dict[str, Any]] = []

    async def send(self, **message: Any) -> None:
        await self._socket.write_message(json.dumps(message))

    async def receive(self) -> dict[str, Any]:
        """Return the next message."""
        message = await self._socket.read_message()
        assert message is not None, f"the tour closed the socket after {self.seen[-5:]}"
        self.seen.append(json.loads(message))
        return self.seen[-1]

    async def until(self, kind: str, **fields: Any) -> dict[str, Any]:
        """Return the next message of a kind that has these fields."""
        while True:
            message = await self.receive()
            if message["type"] == kind and fields.items() <= message.items():
                return message
            assert kind == "error" or message["type"] != "error", message

    async def start(self, file: str, *options: str) -> dict[str, Any]:
        """Start a script; return the message `ready`."""
        await self.send(type="start", file=file, options=options)
        started = await self.until("started")
        return await self.until("ready", run=started["run"])

    def output(self, run: str) -> str:
        """Return the output of a run so far."""
        return "".join(
            message["text"]
            for message in self.seen
            if message["type"] == "output" and message["run"] == run
        )

    def close(self) -> None:
        self._socket.close()

    def disconnect(self) -> None:
        """Lose the connection, without a close frame."""
        assert self._socket.protocol and self._socket.protocol.stream
        self._socket.protocol.stream.close()


class TourCase(AsyncHTTPTestCase):
    """A running tour of a small course.

    Attributes:
        supervisor_options: arguments of the supervisor of runs.
    """

    supervisor_options: ClassVar[dict[str, Any]] = {}

    def setUp(self) -> None:
        self.folder = Path(tempfile.mkdtemp()).resolve()
        self.addCleanup(shutil.rmtree, self.folder)
        make_course(self.folder)
        self.lesson = self.folder / "lessons" / "01_hello"
        self.pages: list[Page] = []
        super().setUp()
        self.token = self.access.exchange(self.access.new_code()) or ""

    def tearDown(self) -> None:
        for page in self.pages:
            page.close()
        self.io_loop.run_sync(self.tour.close, timeout=30)
        super().tearDown()

    def get_app(self) -> Application:
        catalog = Catalog(self.folder)
        self.access = Access(self.get_http_port())
        supervisor = Supervisor(**self.supervisor_options)
        self.tour = Tour(catalog, Progress(self.folder / ".progress.json"), self.access, supervisor)
        return make_app(self.tour)

    @property
    def origin(self) -> str:
        return f"http://localhost:{self.get_http_port()}"

    def write_server(self, name: str, more: str = "", routes: str = '[("/", Handler)]') -> str:
        """Add a script to the first lesson; return the id of its file."""
        write(self.lesson / f"{name}.py", SERVER.format(routes=routes, more=more).lstrip())
        return f"script:01/{name}"

    async def call(
        self,
        path: str,
        body: Any = None,
        *,
        method: str = "",
        token: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> HTTPResponse:
        """Send a request to the tour, by default with the token."""
        token = self.token if token is None else token
        own = {"Host": f"localhost:{self.get_http_port()}"}
        own |= {"Authorization": f"Bearer {token}"} if token else {}
        return await self.http_client.fetch(
            self.get_url(path),
            method=method or ("GET" if body is None else "POST"),
            headers=own | (headers or {}),
            body=None if body is None else json.dumps(body),
            raise_error=False,
            allow_nonstandard_methods=True,
        )

    async def open_page(
        self, token: str | None = None, origin: str | None = None, **headers: str
    ) -> Page:
        """Open the socket of a page."""
        given = {"Origin": self.origin if origin is None else origin}
        url = f"ws://localhost:{self.get_http_port()}/ws"
        token = self.token if token is None else token
        socket = await websocket_connect(
            HTTPRequest(url, headers=given | headers), subprotocols=["tour.1", f"token.{token}"]
        )
        self.pages.append(Page(socket))
        return self.pages[-1]
