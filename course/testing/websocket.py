"""Checks that speak WebSocket: open sockets, send frames, expect frames, be told clearly.

    class Echo(WebSocketCase):
        def test_text_comes_back(self) -> None:
            socket = self.connect("/echo", advice="make_app()")
            socket.send("hello")
            socket.expect("hello", advice="on_message()")

A failure has the parts of `course.testing.http`; what was sent is all that the test's sockets did.
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

from course.testing.http import MAX_SHOWN, RESPONSE_TIMEOUT, ExerciseCase, Mismatch, Response
from course.translation import translate

Frame: TypeAlias = str | bytes | dict[str, Any]
T = TypeVar("T")


class WebSocketCase(ExerciseCase):
    """An `ExerciseCase` whose checks open WebSockets to the learner's file.

    Attributes:
        frame_timeout: seconds to wait for a frame. A check whose server runs in this process can
            wait for less: there a frame comes within a few turns of the event loop.
    """

    frame_timeout: ClassVar[float] = 2.0

    def setUp(self) -> None:
        super().setUp()
        self._transcript: list[str] = []
        self._connections: list[WebSocketClientConnection] = []

    def tearDown(self) -> None:
        for connection in self._connections:
            connection.close()
        super().tearDown()

    def handshake(self, path: str, *, headers: Mapping[str, str] | None = None) -> Response:
        """Ask for a WebSocket and return the answer: status 101 if it was opened, or the refusal.

        Args:
            path: may hold a query.
            headers: sent besides those of every handshake, such as Origin or Cookie.
        """
        return self._handshake(path, headers)[0]

    def connect(
        self, path: str, *, name: str = "", headers: Mapping[str, str] | None = None, advice: str
    ) -> "WebSocketClient":
        """Open a WebSocket; raises `Mismatch` when it is refused.

        Args:
            path, headers: as for `handshake`.
            name: whose socket it is, where a test has several.
            advice: where the learner finds why it was refused.
        """
        response, connection = self._handshake(path, headers)
        response.expect(status=101, advice=advice)
        for line in response.sent.splitlines():
            self.record(name, line)
        return WebSocketClient(self, cast(WebSocketClientConnection, connection), name)

    def _handshake(
        self, path: str, headers: Mapping[str, str] | None
    ) -> tuple[Response, WebSocketClientConnection | None]:
        headers = headers or {}
        url = self.get_url(path).replace("http", "ws", 1)
        request = HTTPRequest(url, headers=dict(headers), request_timeout=RESPONSE_TIMEOUT)
        lines = [f"{name}: {value}" for name, value in headers.items()]
        sent = "\n".join([f"WebSocket {path}", *(shorten(line, 80) for line in lines)])
        try:
            connection = self.io_loop.run_sync(lambda: websocket_connect(request))
        except HTTPTimeoutError:
            return Response(
                sent,
                None,
                translate("no answer within {limit} seconds", limit=f"{RESPONSE_TIMEOUT:g}"),
            ), None
        except HTTPStreamClosedError:
            return Response(
                sent, None, translate("no answer: the server closed the connection")
            ), None
        except HTTPClientError as refused:
            return Response(sent, refused.response), None
        except WebSocketError:
            return Response(sent, None, translate("an ordinary answer, no WebSocket")), None
        self._connections.append(connection)
        body = io.BytesIO(b"(the WebSocket is open)")
        return Response(sent, HTTPResponse(request, 101, connection.headers, body)), connection

    def wait_for(self, awaitable: Awaitable[T]) -> T:
        """Run the loop until this has come; raises TimeoutError after `frame_timeout` seconds."""

        async def within() -> T:
            return await asyncio.wait_for(awaitable, self.frame_timeout)

        result: T = self.io_loop.run_sync(within)
        return result

    def record(self, name: str, what: str) -> None:
        """Add to what a failure of this test tells as sent."""
        self._transcript.append(f"{name}: {what}" if name else what)

    @property
    def sent(self) -> str:
        return "\n".join(self._transcript)


class WebSocketClient:
    """One open WebSocket of a check."""

    def __init__(
        self, case: WebSocketCase, connection: WebSocketClientConnection, name: str
    ) -> None:
        self._case, self._connection, self._name = case, connection, name
        self._closed: Closed | None = None

    def send(self, frame: Frame) -> None:
        """Send a text frame; a binary one for bytes, one with JSON for a dict.

        Where the server has closed the connection nothing is sent; what is expected next tells.
        """
        self._case.record(self._name, describe_frame(frame))
        with contextlib.suppress(WebSocketClosedError):
            self._connection.write_message(frame, binary=isinstance(frame, bytes))

    def close(self) -> None:
        """Close it from this side, and wait until the server has answered."""
        self._case.record(self._name, "closes")
        self._connection.close(1000)
        while not isinstance(received := self._receive(), Closed):
            if received is None:
                raise self._mismatch(None, Closed(1000), "on_close(): it must return, and soon")

    def expect(self, frame: Frame, *, advice: str, advice_for_type: str = "") -> None:
        """Raise `Mismatch` unless this is the next frame that comes.

        Args:
            frame: str for a text frame, bytes for a binary one, a dict for a text frame that is
                this in JSON.
            advice: where the learner finds what is missing.
            advice_for_type: the same for a frame of another type, such as bytes in place of text.
        """
        received = self._receive()
        if isinstance(frame, dict):
            received = _as_json(received)
        if received != frame:
            other = isinstance(received, str | bytes | dict) and type(received) is not type(frame)
            raise self._mismatch(
                received, frame, advice_for_type if advice_for_type and other else advice
            )

    def expect_close(self, *, code: int | None = None, advice: str) -> None:
        """Raise `Mismatch` unless the server closes now, with this code where one is given."""
        received = self._receive()
        if not isinstance(received, Closed) or code not in (None, received.code):
            raise self._mismatch(received, Closed(code), advice)

    def _receive(self) -> "Received":
        """What comes next; None for nothing in the time allowed."""
        if not self._closed:
            try:
                message = self._case.wait_for(self._connection.read_message())
            except TimeoutError:
                return None
            if message is not None:
                return message
            self._closed = Closed(self._connection.close_code, self._connection.close_reason)
        return self._closed

    def _mismatch(self, received: "Received", expected: "Received", advice: str) -> Mismatch:
        to = translate("to {name}: ", name=self._name) if self._name else ""
        limit = f"{self._case.frame_timeout:g}"
        nothing = translate("nothing within {limit} seconds", limit=limit)
        return Mismatch(
            sent=self._case.sent,
            received=to + (nothing if received is None else describe_frame(received)),
            expected=to + describe_frame(expected),
            advice=advice,
        )


@dataclass(frozen=True)
class Closed:
    """The connection was closed; without a code when there was no close frame."""

    code: int | None
    reason: str | None = None


Received: TypeAlias = Frame | Closed | None


def describe_frame(received: Received) -> str:
    """Return one line, or little more, that says what kind of frame it is and what it holds."""
    match received:
        case None:
            return translate("nothing")
        case Closed(code, reason):
            summary = (
                translate("the connection closed with {code}", code=code)
                if code
                else translate("the connection closed")
            )
            return summary + (f" ({reason})" if reason else "")
        case dict():
            text = f"JSON  {json.dumps(received, ensure_ascii=False)}"
        case bytes():
            text = f"bytes {received!r}"
        case _:
            text = f"text  {received!r}"
    return shorten(text, MAX_SHOWN)


def shorten(text: str, limit: int) -> str:
    """Return the text, or its beginning where it is longer than `limit` characters."""
    return text if len(text) <= limit else f"{text[:limit]} ..."


def _as_json(received: Received) -> Received:
    """Return a text frame that holds a JSON object as that object, anything else as it is."""
    try:
        value = json.loads(received) if isinstance(received, str) else None
    except ValueError:
        return received
    return value if isinstance(value, dict) else received
