"""Checks that speak WebSocket: open sockets, send frames, expect frames, be told clearly.

    class Echo(SocketCase):
        def test_text_comes_back(self) -> None:
            socket = self.connect("/echo", look="make_app()")
            socket.send("hello")
            socket.expect("hello", look="on_message()")

A failure has the parts of `course.exercise_case`; what was sent is all that the test's sockets did.
"""

import asyncio
import contextlib
import io
import json
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, TypeAlias, TypeVar, cast

from tornado.httpclient import HTTPClientError, HTTPRequest, HTTPResponse
from tornado.simple_httpclient import HTTPStreamClosedError, HTTPTimeoutError
from tornado.websocket import (
    WebSocketClientConnection,
    WebSocketClosedError,
    WebSocketError,
    websocket_connect,
)

from course.exercise_case import ANSWER_LIMIT, SHOWN, Answer, ExerciseCase, Mismatch
from course.translation import translate

Frame: TypeAlias = str | bytes | dict[str, Any]
T = TypeVar("T")


class SocketCase(ExerciseCase):
    """An `ExerciseCase` whose checks open WebSockets to the learner's file.

    Attributes:
        frame_limit: seconds to wait for a frame. A check whose server runs in this process can wait
            for less: there a frame comes within a few turns of the event loop.
    """

    frame_limit: ClassVar[float] = 2.0

    def setUp(self) -> None:
        super().setUp()
        self._said: list[str] = []
        self._open: list[WebSocketClientConnection] = []

    def tearDown(self) -> None:
        for connection in self._open:
            connection.close()
        super().tearDown()

    def handshake(self, path: str, *, headers: Mapping[str, str] | None = None) -> Answer:
        """Ask for a WebSocket and return the answer: status 101 if it was opened, or the refusal.

        Args:
            path: may hold a query.
            headers: sent besides those of every handshake, such as Origin or Cookie.
        """
        return self._handshake(path, headers)[0]

    def connect(
        self, path: str, *, name: str = "", headers: Mapping[str, str] | None = None, look: str
    ) -> "Socket":
        """Open a WebSocket; raises `Mismatch` when it is refused.

        Args:
            path, headers: as for `handshake`.
            name: whose socket it is, where a test has several.
            look: where the learner finds why it was refused.
        """
        answer, connection = self._handshake(path, headers)
        answer.expect(status=101, look=look)
        for line in answer.sent.splitlines():
            self.note(name, line)
        return Socket(self, cast(WebSocketClientConnection, connection), name)

    def _handshake(
        self, path: str, headers: Mapping[str, str] | None
    ) -> tuple[Answer, WebSocketClientConnection | None]:
        headers = headers or {}
        url = self.get_url(path).replace("http", "ws", 1)
        request = HTTPRequest(url, headers=dict(headers), request_timeout=ANSWER_LIMIT)
        lines = [f"{name}: {value}" for name, value in headers.items()]
        sent = "\n".join([f"WebSocket {path}", *(shorten(line, 80) for line in lines)])
        try:
            connection = self.io_loop.run_sync(lambda: websocket_connect(request))
        except HTTPTimeoutError:
            return Answer(
                sent, None, translate("no answer within {limit} seconds", limit=f"{ANSWER_LIMIT:g}")
            ), None
        except HTTPStreamClosedError:
            return Answer(sent, None, "no answer: the server closed the connection"), None
        except HTTPClientError as refused:
            return Answer(sent, refused.response), None
        except WebSocketError:
            return Answer(sent, None, translate("an ordinary answer, no WebSocket")), None
        self._open.append(connection)
        body = io.BytesIO(b"(the WebSocket is open)")
        return Answer(sent, HTTPResponse(request, 101, connection.headers, body)), connection

    def wait_for(self, awaitable: Awaitable[T]) -> T:
        """Run the loop until this has come; raises TimeoutError after `frame_limit` seconds."""

        async def within() -> T:
            return await asyncio.wait_for(awaitable, self.frame_limit)

        result: T = self.io_loop.run_sync(within)
        return result

    def note(self, name: str, what: str) -> None:
        """Add to what a failure of this test tells as sent."""
        self._said.append(f"{name}: {what}" if name else what)

    @property
    def sent(self) -> str:
        return "\n".join(self._said)


class Socket:
    """One open WebSocket of a check."""

    def __init__(self, case: SocketCase, connection: WebSocketClientConnection, name: str) -> None:
        self._case, self._connection, self._name = case, connection, name
        self._ended: Ended | None = None

    def send(self, frame: Frame) -> None:
        """Send a text frame; a binary one for bytes, one with JSON for a dict.

        Where the server has closed the connection nothing is sent; what is expected next tells.
        """
        self._case.note(self._name, shown(frame))
        with contextlib.suppress(WebSocketClosedError):
            self._connection.write_message(frame, binary=isinstance(frame, bytes))

    def close(self) -> None:
        """Close it from this side, and wait until the server has answered."""
        self._case.note(self._name, "closes")
        self._connection.close(1000)
        while not isinstance(came := self._next(), Ended):
            if came is None:
                raise self._mismatch(None, Ended(1000), "on_close(): it must return, and soon")

    def expect(self, frame: Frame, *, look: str, kind: str = "") -> None:
        """Raise `Mismatch` unless this is the next frame that comes.

        Args:
            frame: str for a text frame, bytes for a binary one, a dict for a text frame that is
                this in JSON.
            look: where the learner finds what is missing.
            kind: the same for a frame of another kind, such as bytes where text is expected.
        """
        came = self._next()
        if isinstance(frame, dict):
            came = _as_json(came)
        if came != frame:
            other = isinstance(came, str | bytes | dict) and type(came) is not type(frame)
            raise self._mismatch(came, frame, kind if kind and other else look)

    def expect_end(self, *, code: int | None = None, look: str) -> None:
        """Raise `Mismatch` unless the server closes now, with this code where one is given."""
        came = self._next()
        if not isinstance(came, Ended) or code not in (None, came.code):
            raise self._mismatch(came, Ended(code), look)

    def _next(self) -> "Came":
        """What comes next; None for nothing in the time allowed."""
        if not self._ended:
            try:
                message = self._case.wait_for(self._connection.read_message())
            except TimeoutError:
                return None
            if message is not None:
                return message
            self._ended = Ended(self._connection.close_code, self._connection.close_reason)
        return self._ended

    def _mismatch(self, came: "Came", expected: "Came", look: str) -> Mismatch:
        to = translate("to {name}: ", name=self._name) if self._name else ""
        limit = f"{self._case.frame_limit:g}"
        nothing = translate("nothing within {limit} seconds", limit=limit)
        return Mismatch(
            sent=self._case.sent,
            came=to + (nothing if came is None else shown(came)),
            expected=to + shown(expected),
            look=look,
        )


@dataclass(frozen=True)
class Ended:
    """The connection was closed; without a code when there was no close frame."""

    code: int | None
    reason: str | None = None


Came: TypeAlias = Frame | Ended | None


def shown(came: Came) -> str:
    """Return one line, or little more, that says what kind of frame it is and what it holds."""
    match came:
        case None:
            return translate("nothing")
        case Ended(code, reason):
            told = (
                translate("the connection closed with {code}", code=code)
                if code
                else translate("the connection closed")
            )
            return told + (f" ({reason})" if reason else "")
        case dict():
            text = f"JSON  {json.dumps(came, ensure_ascii=False)}"
        case bytes():
            text = f"bytes {came!r}"
        case _:
            text = f"text  {came!r}"
    return shorten(text, SHOWN)


def shorten(text: str, limit: int) -> str:
    """Return the text, or its beginning where it is longer than `limit` characters."""
    return text if len(text) <= limit else f"{text[:limit]} ..."


def _as_json(came: Came) -> Came:
    """Return a text frame that holds a JSON object as that object, anything else as it is."""
    try:
        value = json.loads(came) if isinstance(came, str) else None
    except ValueError:
        return came
    return value if isinstance(value, dict) else came
