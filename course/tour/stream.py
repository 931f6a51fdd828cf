"""The socket of a page, /ws: starts and stops runs, and streams what they print.

Each socket has a cursor for each run. It takes the next messages from the ring of the run when the
browser has received the earlier ones. So a browser that reads slowly costs no memory, and a page
that is loaded again continues where it was.
"""

import asyncio
import base64
import contextlib
import json
from typing import Any

import tornado.websocket

from course.tour.access import Refused, TourHandler, json_object, refusals, text_field, text_list
from course.tour.commands import program_of_file, program_of_session
from course.tour.files import CourseFile, find_file, follow
from course.tour.requests import SocketConsole, read_headers
from course.tour.runs import Run
from course.translation import translate

PROTOCOL = "tour.1"
TOKEN_PROTOCOL = "token."  # noqa: S105 - the beginning of a subprotocol, which carries the token
MAX_FRAME = 64 * 1024
"""Bytes of a message from a page."""


class StreamHandler(TourHandler, tornado.websocket.WebSocketHandler):
    """The socket of one page."""

    def initialize(self) -> None:
        """Begin with no runs."""
        self._cursors: dict[str, int] = {}
        self._news = asyncio.Event()
        self._list_changed = False
        self._sender: asyncio.Task[None] | None = None
        self._follower: asyncio.Task[None] | None = None
        self._sockets = SocketConsole(self._write)

    def prepare(self) -> None:
        """Refuse a page without the token, which browsers can send as a subprotocol only."""
        super().prepare()
        given = self.request.headers.get("Sec-WebSocket-Protocol", "")
        offered = [each.strip() for each in given.split(",")]
        tokens = [each.removeprefix(TOKEN_PROTOCOL) for each in offered if each != PROTOCOL]
        if PROTOCOL not in offered or not any(map(self.tour.access.allows_token, tokens)):
            raise Refused(401, "Open the address that the terminal shows.")

    def check_origin(self, origin: str) -> bool:
        """Accept the tour's own pages only."""
        return self.tour.access.allows_origin(origin)

    def select_subprotocol(self, subprotocols: list[str]) -> str | None:
        """Select the protocol of the tour."""
        return PROTOCOL

    @property
    def max_message_size(self) -> int:
        """The largest message of a page, in bytes."""
        return MAX_FRAME

    def open(self, *_: str) -> None:
        """Follow all runs that start from now on; send the list of the others."""
        for run in self.tour.supervisor.runs.values():
            self._cursors[run.id] = run.ring.last_seq
        self.tour.sockets.add(self)
        self.tour.supervisor.add_viewer(self._notify)
        self._notify(True)
        self._sender = asyncio.create_task(self._send_news())

    def on_close(self) -> None:
        """Forget the page; its runs go on."""
        self.tour.sockets.discard(self)
        self.tour.supervisor.remove_viewer(self._notify)
        self._sockets.close_all()
        for task in (self._sender, self._follower):
            if task:
                task.cancel()

    async def on_message(self, message: str | bytes) -> None:
        """Do what a message asks for; answer a wrong one with an error."""
        try:
            with refusals():
                await self._handle(json_object(message))
        except Refused as error:
            self.send(type="error", error=error.sentence)

    def send(self, **message: Any) -> None:
        """Send a message, unless the page has gone."""
        with contextlib.suppress(tornado.websocket.WebSocketClosedError):
            # A page may go before it has taken the message; asyncio would report that as an error.
            self.write_message(json.dumps(message)).add_done_callback(_discard_result)

    async def _handle(self, message: dict[str, Any]) -> None:
        supervisor = self.tour.supervisor
        match message.get("type"):
            case "start":
                file_id = text_field(message, "file")
                options = text_list(message, "options")
                program = program_of_file(self.tour.catalog, file_id, options)
                self._started(supervisor.start(program))
            case "break":
                session_id = text_field(message, "session")
                program = program_of_session(self.tour.catalog, session_id)
                self._started(supervisor.start(program))
            case "stop":
                await supervisor.stop(self._run(message))
            case "resume":
                self._resume(message)
            case "follow":
                self._follow(find_file(self.tour.catalog, text_field(message, "file")))
            case "socket.open":
                self._sockets.open(
                    text_field(message, "id"),
                    self._run(message),
                    text_field(message, "path"),
                    read_headers(message.get("headers", [])),
                    text_list(message, "subprotocols"),
                )
            case "socket.send":
                await self._sockets.send(text_field(message, "id"), self._content(message))
            case "socket.close":
                code = message.get("code", 1000)
                reason = text_field(message, "reason", "")
                code = code if isinstance(code, int) else 0
                self._sockets.close(text_field(message, "id"), code, reason)
            case other:
                raise Refused(400, translate("The tour knows no message {type}.", type=other))

    def _started(self, run: Run) -> None:
        self.send(type="started", run=run.id, file=run.program.file, name=run.program.name)

    def _resume(self, message: dict[str, Any]) -> None:
        after = message.get("after")
        if not isinstance(after, int) or after < 0:
            raise Refused(400, "The field after must be a number.")
        self._cursors[self._run(message).id] = after
        self._news.set()

    def _run(self, message: dict[str, Any]) -> Run:
        run = self.tour.supervisor.runs.get(text_field(message, "run"))
        if run is None:
            raise Refused(404, "There is no such run any more.")
        return run

    def _follow(self, file: CourseFile) -> None:
        if self._follower:
            self._follower.cancel()
        self._follower = asyncio.create_task(self._send_changes(file))

    async def _send_changes(self, file: CourseFile) -> None:
        # OSError: the folder of the file is gone.
        with contextlib.suppress(tornado.websocket.WebSocketClosedError, OSError):
            async for etag in follow(file):
                await self._write({"type": "file", "id": file.id, "etag": etag})

    @staticmethod
    def _content(message: dict[str, Any]) -> str | bytes:
        if "base64" not in message:
            return text_field(message, "text")
        try:
            return base64.b64decode(text_field(message, "base64"), validate=True)
        except ValueError:
            raise Refused(400, "The field base64 is not valid.") from None

    async def _write(self, message: dict[str, Any]) -> None:
        """Send a message, and wait until the browser has taken it."""
        with contextlib.suppress(tornado.websocket.WebSocketClosedError):
            await self.write_message(json.dumps(message))

    def _notify(self, list_changed: bool) -> None:
        self._list_changed |= list_changed
        self._news.set()

    async def _send_news(self) -> None:
        """Send what is new, each message when the browser has taken the one before."""
        with contextlib.suppress(tornado.websocket.WebSocketClosedError):
            while True:
                await self._news.wait()
                self._news.clear()
                if self._list_changed:
                    self._list_changed = False
                    runs = [run.summary() for run in self.tour.supervisor.runs.values()]
                    await self.write_message(json.dumps({"type": "runs", "runs": runs}))
                for run in [*self.tour.supervisor.runs.values()]:
                    for message in run.ring.after(self._cursors.get(run.id, 0)):
                        self._cursors[run.id] = message["seq"]
                        await self.write_message(json.dumps(message))


def _discard_result(written: asyncio.Future[None]) -> None:
    if not written.cancelled():
        written.exception()
