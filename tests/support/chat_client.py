"""A client of the chat's protocol, as `capstone_chat/PROTOCOL.md` describes it.

`ChatSocket` is one connection. `ResumingClient` stays in a conversation for as long as it runs: it
connects again after a loss, fetches the events that it has missed, and sends messages again until
they are acknowledged. Neither of them imports anything of the chat.
"""

import asyncio
import contextlib
import json
import random
import uuid
from collections.abc import Mapping
from typing import Any, Self

import tornado.httpclient
import tornado.iostream
import tornado.websocket

from tests.support.api_session import ApiSession

MAX_IN_FLIGHT = 4
"""Messages of a client that wait for their acknowledgement; `send` waits before a fifth one."""
RESPONSE_TIMEOUT = 10.0
"""Seconds that a handshake, a request or the answer to a ping may take."""
MIN_RECONNECT_DELAY, MAX_RECONNECT_DELAY = 0.05, 1.0
"""Seconds that the first wait before an attempt, and any later wait, may last. Each wait may be
twice as long as the one before. Over a network, half a second and 30 seconds are better."""

RETRIED_ERRORS = {"rate_limited", "unavailable"}
"""Codes of errors after which the same message may be accepted later."""

DISCONNECT_ERRORS = (
    OSError,
    tornado.httpclient.HTTPError,
    tornado.iostream.StreamClosedError,
    tornado.websocket.WebSocketError,
    tornado.websocket.WebSocketClosedError,
)
"""Exceptions that a failed connection, handshake or request raises."""


def handshake_headers(url: str, cookie: str, headers: Mapping[str, str]) -> dict[str, str]:
    """Return the headers with which a browser opens a connection from the chat's own page.

    Args:
        url: scheme, host and port of the chat.
        cookie: value of the Cookie header, with the session in it.
        headers: headers to add or to replace; an empty value removes a header.
    """
    every = {"Cookie": cookie, "Origin": url} | dict(headers)
    return {name: value for name, value in every.items() if value}


class ChatSocket:
    """One connection.

    Args:
        socket: the open WebSocket.
    """

    def __init__(self, socket: tornado.websocket.WebSocketClientConnection) -> None:
        self.socket = socket
        self.hello: dict[str, Any] = {}
        """The event `hello`, after `connect`."""
        self._ended = False

    @classmethod
    async def open(
        cls,
        url: str,
        cookie: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> Self:
        """Open a connection and do not wait for the hello.

        Args:
            url: scheme, host and port of the chat.
            cookie: value of the Cookie header, with the session in it.
            headers: headers to add or to replace; an empty value removes a header.

        Raises:
            tornado.httpclient.HTTPError: the handshake was refused, or took longer than
                `RESPONSE_TIMEOUT` (status 599).
        """
        request = tornado.httpclient.HTTPRequest(
            url.replace("http", "ws", 1) + "/ws",
            headers=handshake_headers(url, cookie, headers or {}),
            connect_timeout=RESPONSE_TIMEOUT,
            request_timeout=RESPONSE_TIMEOUT,
        )
        return cls(await tornado.websocket.websocket_connect(request))

    @classmethod
    async def connect(
        cls, url: str, cookie: str = "", headers: Mapping[str, str] | None = None
    ) -> Self:
        """Open a connection and wait for the hello. The arguments are those of `open`.

        Raises:
            ConnectionError: the server closed the connection instead.
        """
        connection = await cls.open(url, cookie, headers)
        connection.hello = await connection.receive("hello")
        return connection

    async def send_frame(self, **frame: Any) -> None:
        """Send a frame of the protocol, such as `type="ping"`."""
        await self.socket.write_message(json.dumps(frame))

    async def send(
        self, conv: int, text: str, cid: str | None = None, reply: int | None = None
    ) -> str:
        """Send a message and return its cid.

        Args:
            conv: id of the conversation.
            text: text of the message.
            cid: id of the message; a new one by default.
            reply: seq of the message that this one answers.
        """
        cid = cid or str(uuid.uuid4())
        more = {} if reply is None else {"reply": reply}
        await self.send_frame(type="send", cid=cid, conv=conv, text=text, **more)
        return cid

    async def edit(self, conv: int, seq: int, text: str, cid: str | None = None) -> str:
        """Replace the text of the user's own message and return the cid of the edit."""
        cid = cid or str(uuid.uuid4())
        await self.send_frame(type="edit", cid=cid, conv=conv, seq=seq, text=text)
        return cid

    async def next_event(self) -> dict[str, Any] | None:
        """Return the next event, or None when the connection is closed."""
        message = None if self._ended else await self.socket.read_message()
        if message is None:
            self._ended = True
            return None
        event: dict[str, Any] = json.loads(message)
        return event

    async def receive(self, *types: str) -> dict[str, Any]:
        """Return the next event of these types and drop all others before it.

        Args:
            types: types of events; without any, the next event is returned.

        Raises:
            ConnectionError: the connection was closed before.
        """
        while (event := await self.next_event()) is not None:
            if not types or event["type"] in types:
                return event
        raise ConnectionError(f"closed with {self.socket.close_code}")

    async def wait_closed(self) -> int | None:
        """Wait until the connection is closed; return the close code, None if there was none."""
        while await self.next_event() is not None:
            pass
        return self.socket.close_code

    async def close(self) -> None:
        """Close the connection with code 1000 and wait until it is closed."""
        self.socket.close(1000)
        await self.wait_closed()


class ResumingClient:
    """A member of one conversation that receives every event and loses no message.

    Args:
        session: a session of the user.
        conv: id of the conversation.
        rng: source of the random waiting times.
        ping_interval: seconds between two pings.
    """

    def __init__(
        self,
        session: ApiSession,
        conv: int,
        *,
        rng: random.Random | None = None,
        ping_interval: float = 25.0,
    ) -> None:
        self.session = session
        self.conv = conv
        self.rng = rng or random.Random()
        self.ping_interval = ping_interval
        self.events: dict[int, dict[str, Any]] = {}
        """The events of the conversation, by seq."""
        self.last_seq = 0
        """The seq up to which no event is missing."""
        self.fetched = 0
        """Events that were fetched because they had been missed."""
        self.pending: dict[str, str] = {}
        """The texts of messages that are not acknowledged, by cid."""
        self.acks: dict[str, int] = {}
        """The seqs of acknowledged messages, by cid."""
        self.errors: list[str] = []
        """The codes of error events."""
        self.closes: list[int | None] = []
        """The close code of each connection that the server ended; None for a broken one."""
        self.refused: list[int] = []
        """The statuses of refused handshakes and requests; 599 for no answer."""
        self.timeouts = 0
        """Connections that the client closed because the server did not answer."""
        self.rejected = False
        """Whether the server closed with a code after which a client must not connect again."""
        self._stopped = asyncio.Event()
        self.connected = asyncio.Event()
        """Set while a connection is open, from the hello on."""
        self.synced = asyncio.Event()
        """Set while connected, from when all events before the hello have been fetched."""
        self._socket: ChatSocket | None = None
        self._delay = MIN_RECONNECT_DELAY
        self._window = asyncio.Semaphore(MAX_IN_FLIGHT)
        self._retries: dict[str, str] = {}

    async def run(self) -> None:
        """Stay connected until `stop`, or until a close code from 3500 to 3999."""
        while not self._stopped.is_set() and not self.rejected:
            try:
                await self.run_connection()
            except DISCONNECT_ERRORS as error:
                if isinstance(error, tornado.httpclient.HTTPError):
                    self.refused.append(error.code)
            # Random, because all clients of a server lose their connections together.
            await self._wait_stopped(self.rng.uniform(0, self._delay))
            self._delay = min(MAX_RECONNECT_DELAY, 2 * self._delay)

    async def run_connection(self) -> None:
        """Connect, and handle events until the connection is closed."""
        socket = await ChatSocket.open(self.session.url, self.session.cookie)
        self._socket = socket
        heartbeat = asyncio.ensure_future(self._heartbeat())
        try:
            while (
                not self._stopped.is_set() and (event := await self._next_event(socket)) is not None
            ):
                await self.handle(event)
            self.rejected = 3500 <= (socket.socket.close_code or 0) < 4000
        finally:
            self._socket = None
            self.connected.clear()
            self.synced.clear()
            heartbeat.cancel()
            await socket.close()

    async def handle(self, event: dict[str, Any]) -> None:
        """Handle one event of the server."""
        match event["type"]:
            case "hello":
                self.connected.set()
                self._delay = MIN_RECONNECT_DELAY
                for cid, text in self.pending.items():
                    self._send(type="send", cid=cid, conv=self.conv, text=text)
                await self.fetch_missing(event["heads"].get(str(self.conv), 0))
                self.synced.set()
            case "pong":
                await self.fetch_missing(event["heads"].get(str(self.conv), 0))
            case "ack":
                self.acks[event["cid"]] = event["seq"]
                self._forget(event["cid"])
            case "error":
                self.errors.append(event["code"])
                self._handle_error(event.get("cid", ""), event["code"])
            case _ if event.get("conv") == self.conv and "from" in event and "seq" in event:
                # An event of the log: a read mark has no sender, "is typing" has no seq.
                self.insert(event)
                await self.fetch_missing(event["seq"])  # nothing to do if there is no gap

    async def fetch_missing(self, head: int) -> None:
        """Fetch the events up to a seq that are missing."""
        while self.last_seq < head:
            path = f"/api/conversations/{self.conv}/events?after={self.last_seq}"
            response = await self.session.fetch(path, request_timeout=RESPONSE_TIMEOUT)
            response.rethrow()
            events = json.loads(response.body)["events"]
            if not events:
                break
            self.fetched += len(events)
            for event in events:
                self.insert(event)

    def insert(self, event: dict[str, Any]) -> None:
        """Add an event to the log. An event that is there already changes nothing."""
        self.events.setdefault(event["seq"], event)
        while self.last_seq + 1 in self.events:
            self.last_seq += 1

    async def send(self, text: str) -> str:
        """Send a message, now or after the next hello, and return its cid.

        Waits while `MAX_IN_FLIGHT` messages have no acknowledgement.
        """
        await self._window.acquire()
        cid = str(uuid.uuid4())
        self.pending[cid] = text
        self._send(type="send", cid=cid, conv=self.conv, text=text)
        return cid

    def stop(self) -> None:
        """Close the connection and do not connect again."""
        self._stopped.set()
        if self._socket is not None:
            self._socket.socket.close(1000)

    async def _next_event(self, socket: ChatSocket) -> dict[str, Any] | None:
        """Return the next event, or None when the connection is closed or the server is silent."""
        try:
            # A server that answers sends a pong in this time, if nothing else.
            async with asyncio.timeout(self.ping_interval + RESPONSE_TIMEOUT):
                event = await socket.next_event()
        except TimeoutError:
            self.timeouts += 1
            return None
        if event is None and not self._stopped.is_set():
            self.closes.append(socket.socket.close_code)
        return event

    async def _heartbeat(self) -> None:
        """Ping, and send again the messages that were refused for a while."""
        while not await self._wait_stopped(self.ping_interval):
            self._send(type="ping")
            retries, self._retries = self._retries, {}
            for cid, text in retries.items():
                self._send(type="send", cid=cid, conv=self.conv, text=text)

    async def _wait_stopped(self, seconds: float) -> bool:
        """Wait until `stop` is called, for at most some seconds; return whether it has been."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stopped.wait(), seconds)
        return self._stopped.is_set()

    def _handle_error(self, cid: str, code: str) -> None:
        """Keep a refused message for the next heartbeat, or give it up."""
        if cid in self.pending and code in RETRIED_ERRORS:
            self._retries[cid] = self.pending[cid]
        else:
            self._forget(cid)

    def _forget(self, cid: str) -> None:
        if self.pending.pop(cid, None) is not None:
            self._window.release()

    def _send(self, **frame: Any) -> None:
        """Write a frame without waiting; a lost frame is sent again after the next hello."""
        if self._socket is None or not self.connected.is_set():
            return
        sent = asyncio.ensure_future(self._socket.send_frame(**frame))
        # Retrieve the exception, or asyncio logs that it was never retrieved.
        sent.add_done_callback(lambda done: done.cancelled() or done.exception())
