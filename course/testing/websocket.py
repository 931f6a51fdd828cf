"""Test case for checks that open WebSockets, send frames and compare received frames.

    class Echo(WebSocketCase):
        def test_text_comes_back(self) -> None:
            socket = self.connect("/echo", advice="make_app()")
            socket.send("hello")
            socket.expect("hello", advice="on_message()")

A failure has the parts of `course.testing.http`; "sent" lists all actions of the test's sockets.
"""

import asyncio
import contextlib
import io
import json
import math
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

STEP = 0.1  # seconds, of which a wait for a frame has several
Frame: TypeAlias = str | bytes | dict[str, Any]
T = TypeVar("T")


class WebSocketCase(ExerciseCase):
    """An `ExerciseCase` whose checks open WebSockets to the learner's file.

    Attributes:
        frame_timeout: seconds to wait for a frame. A check whose server runs in this process can
            set a shorter time, because a frame arrives within a few iterations of the event loop.
    """

    frame_timeout: ClassVar[float] = 2.0

    def setUp(self) -> None:
        """Start with no connections."""
        super().setUp()
        self._transcript: list[str] = []
        self._connections: list[WebSocketClientConnection] = []

    def tearDown(self) -> None:
        """Close the connections of the test."""
        for connection in self._connections:
            connection.close()
        super().tearDown()

    def handshake(self, path: str, *, headers: Mapping[str, str] | None = None) -> Response:
        """Request a WebSocket and return the response: 101 if it was opened, or the refusal.

        Args:
            path: the path, with a query if there is one.
            headers: headers besides those of every handshake, such as Origin or Cookie.
        """
        return self._handshake(path, headers)[0]

    def connect(
        self, path: str, *, name: str = "", headers: Mapping[str, str] | None = None, advice: str
    ) -> "WebSocketClient":
        """Open a WebSocket.

        Args:
            path: the path, with a query if there is one.
            name: the name of the socket in failures, if a test has several.
            headers: headers besides those of every handshake.
            advice: the advice if the server refuses.

        Raises:
            Mismatch: the server refused the handshake.
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
        """Run the event loop until the awaitable is done, and return its result.

        Raises:
            TimeoutError: it was not done within `frame_timeout` seconds.
        """

        async def within() -> T:
            waiting = asyncio.ensure_future(awaitable)
            # In short steps: beside other work, this process may not run for longer than the whole
            # time. Then only one step has passed, and the frame arrives in the next one.
            for _ in range(math.ceil(self.frame_timeout / STEP)):
                await asyncio.wait([waiting], timeout=STEP)
                if waiting.done():
                    return waiting.result()
            waiting.cancel()
            raise TimeoutError

        result: T = self.io_loop.run_sync(within)
        return result

    def record(self, name: str, what: str) -> None:
        """Add a line to the part "sent" of this test's failures."""
        self._transcript.append(f"{name}: {what}" if name else what)

    @property
    def sent(self) -> str:
        """All actions of the test's sockets so far, a line each."""
        return "\n".join(self._transcript)


class WebSocketClient:
    """An open WebSocket of a check."""

    def __init__(
        self, case: WebSocketCase, connection: WebSocketClientConnection, name: str
    ) -> None:
        self._case, self._connection, self._name = case, connection, name
        self._closed: Closed | None = None

    def send(self, frame: Frame) -> None:
        """Send a text frame for str, a binary frame for bytes, a text frame with JSON for a dict.

        If the server has closed the connection, nothing is sent; the next `expect` reports it.
        """
        self._case.record(self._name, describe_frame(frame))
        with contextlib.suppress(WebSocketClosedError):
            self._connection.write_message(frame, binary=isinstance(frame, bytes))

    def close(self) -> None:
        """Send a close frame and wait for that of the server.

        Raises:
            Mismatch: no close frame came within `frame_timeout` seconds.
        """
        self._case.record(self._name, "closes")
        self._connection.close(1000)
        while not isinstance(received := self._receive(), Closed):
            if received is None:
                raise self._mismatch(None, Closed(1000), "on_close(): it must return, and soon")

    def expect(self, frame: Frame, *, advice: str, advice_for_type: str = "") -> None:
        """Raise `Mismatch` unless the next frame is this one.

        Args:
            frame: str for a text frame, bytes for a binary one, a dict for a text frame that holds
                it as JSON.
            advice: the advice if another frame or none comes.
            advice_for_type: the advice for a frame of another type, such as bytes for text.
        """
        received = self._receive()
        if isinstance(frame, dict):
            received = _as_json(received)
        if received != frame:
            other = isinstance(received, str | bytes | dict) and type(received) is not type(frame)
            raise self._mismatch(
                received, frame, advice_for_type if advice_for_type and other else advice
            )

    def expect_close(
        self, *, code: int | None = None, reason: str | None = None, advice: str
    ) -> None:
        """Raise `Mismatch` unless the server closes the connection, with `code` and `reason`.

        Args:
            code: the close code; None for any.
            reason: the text of the close frame; None for any.
            advice: the advice if the connection stays open, or ends in another way.
        """
        received = self._receive()
        if (
            not isinstance(received, Closed)
            or code not in (None, received.code)
            or reason not in (None, received.reason)
        ):
            raise self._mismatch(received, Closed(code, reason), advice)

    def _receive(self) -> "Received":
        """Return the next frame, `Closed`, or None if neither comes within `frame_timeout`."""
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
    """The end of a connection; `code` is None if there was no close frame."""

    code: int | None
    reason: str | None = None


Received: TypeAlias = Frame | Closed | None


def describe_frame(received: Received) -> str:
    """Return the type and the content of a frame, in at most about `MAX_SHOWN` characters."""
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
    """Return the text, cut after `limit` characters if it is longer."""
    return text if len(text) <= limit else f"{text[:limit]} ..."


def _as_json(received: Received) -> Received:
    """Parse a text frame that holds a JSON object; return anything else unchanged."""
    try:
        value = json.loads(received) if isinstance(received, str) else None
    except ValueError:
        return received
    return value if isinstance(value, dict) else received
