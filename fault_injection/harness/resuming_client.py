"""A client of the chat as PROTOCOL.md asks for one: it comes back, resumes and sends again."""

import asyncio
import json
import random
import uuid
from collections import Counter
from collections.abc import Callable
from typing import Any

import tornado.httpclient
import tornado.iostream
import tornado.websocket

from fault_injection.harness.consistency import ClientLog, Position

WINDOW = 4
"""Messages that may wait for their acknowledgement."""
RESPONSE_TIMEOUT = 10
"""Seconds after which a client closes the connection to a server that does not answer."""
MAX_RECONNECT_DELAY = 1.0
"""Seconds until the next attempt, at most; a browser waits longer."""

DISCONNECT_ERRORS = (
    OSError,
    tornado.httpclient.HTTPError,
    tornado.iostream.StreamClosedError,
    tornado.websocket.WebSocketError,
    tornado.websocket.WebSocketClosedError,
)
"""What a connection that fails raises."""


class Client:
    """A member of one conversation.

    Args:
        name: of the user, for messages.
        cookie: the value of the Cookie header.
        address: returns where to connect, asked anew each time.
        ping_every: seconds between two pings.
    """

    def __init__(
        self,
        name: str,
        cookie: str,
        conv: int,
        address: Callable[[], str],
        client_log: ClientLog,
        rng: random.Random,
        http: tornado.httpclient.AsyncHTTPClient,
        *,
        ping_every: float = 1.0,
    ) -> None:
        self.name = name
        self.cookie = cookie
        self.conv = conv
        self.address = address
        self.client_log = client_log
        self.rng = rng
        self.http = http
        self.ping_every = ping_every
        self.url = ""
        self.view: dict[Position, str] = {}
        self.last_seq = 0
        self.pending: dict[str, str] = {}
        self.closes: Counter[int | None] = Counter()
        """How the server ended connections: the code, or None when there was none."""
        self.timeouts = 0
        """Connections that the client closed because the server did not answer."""
        self.refused: Counter[int] = Counter()
        """Handshakes and requests that were answered with an error, by status; 599: not at all."""
        self.errors: Counter[str] = Counter()
        """Error events, by code."""
        self.resumed = 0
        """Events that did not come by the socket but were fetched."""
        self.last_live_seq = 0
        """The newest seq that came by the socket."""
        self.disconnecting = False
        self.rejected = False
        """Closed with a code after which a client must not reconnect."""
        self.may_connect = asyncio.Event()
        self.may_connect.set()
        self.connected = asyncio.Event()
        self.synced = asyncio.Event()
        """Connected, and all is there that was when it connected."""
        self._out_of_order: dict[int, str] = {}
        self._retry: dict[str, str] = {}
        self._socket: tornado.websocket.WebSocketClientConnection | None = None
        self._window = asyncio.Semaphore(WINDOW)
        self._answered = 0.0
        self._timed_out = False

    async def run(self) -> None:
        """Stay connected until `disconnect`."""
        delay = 0.05
        while not self.disconnecting and not self.rejected:
            await self.may_connect.wait()
            try:
                await self._run_connection()
                delay = 0.05
            except DISCONNECT_ERRORS as error:
                if isinstance(error, tornado.httpclient.HTTPError):
                    self.refused[error.code] += 1
                delay = min(MAX_RECONNECT_DELAY, delay * 2)
            finally:
                self.connected.clear()
                self.synced.clear()
            if not self.disconnecting:
                await asyncio.sleep(self.rng.uniform(0, delay))

    def disconnect(self) -> None:
        """Close the connection and do not reconnect."""
        self.disconnecting = True
        self.may_connect.set()
        self.close()

    def close(self) -> None:
        """Close the connection."""
        if self._socket is not None:
            self._socket.close(1000)

    async def send(self, text: str) -> str:
        """Send a message once the window allows it; return its cid."""
        await self._window.acquire()
        cid = str(uuid.UUID(int=self.rng.getrandbits(128), version=4))
        self.client_log.send(cid, self.conv, text)
        self.pending[cid] = text
        self._write(cid, text)
        return cid

    def _write(self, cid: str, text: str) -> None:
        self._send_frame({"type": "send", "cid": cid, "conv": self.conv, "text": text})

    def _send_frame(self, frame: dict[str, Any]) -> None:
        if self._socket is not None and self.connected.is_set():
            try:
                # What it returns is not waited for, but must not complain when it fails.
                sent = asyncio.ensure_future(self._socket.write_message(json.dumps(frame)))
                sent.add_done_callback(lambda done: done.cancelled() or done.exception())
            except DISCONNECT_ERRORS:  # what was not sent is sent again on the next connection
                pass

    async def _run_connection(self) -> None:
        self.url = self.address()
        request = tornado.httpclient.HTTPRequest(
            self.url.replace("http", "ws", 1) + "/ws",
            headers={"Cookie": self.cookie, "Origin": self.url},
            connect_timeout=RESPONSE_TIMEOUT,
            request_timeout=RESPONSE_TIMEOUT,
        )
        socket = self._socket = await tornado.websocket.websocket_connect(request)
        heartbeat = asyncio.ensure_future(self._heartbeat(socket))
        self._timed_out = ended = False
        try:
            if self.disconnecting:
                socket.close(1000)
            while (message := await socket.read_message()) is not None:
                self._answered = asyncio.get_running_loop().time()
                await self._handle_event(json.loads(message))
            ended = True
            if not self._timed_out:
                self.closes[socket.close_code] += 1
            self.rejected = 3500 <= (socket.close_code or 0) < 4000
        finally:
            heartbeat.cancel()
            self._socket = None
            socket.close()
            while not ended:  # what nobody reads would keep its end from being noticed
                ended = await socket.read_message() is None

    async def _heartbeat(self, socket: tornado.websocket.WebSocketClientConnection) -> None:
        """Ping; send refused messages again; close the connection if the server does not answer."""
        loop = asyncio.get_running_loop()
        self._answered = loop.time()
        while True:
            await asyncio.sleep(self.ping_every)
            if loop.time() - self._answered > RESPONSE_TIMEOUT:
                self._timed_out = True
                self.timeouts += 1
                socket.close(1000)
                return
            self._send_frame({"type": "ping"})
            retry, self._retry = self._retry, {}
            for cid, text in retry.items():
                self._write(cid, text)

    async def _handle_event(self, event: dict[str, Any]) -> None:
        match event["type"]:
            case "hello":
                self.connected.set()
                for cid, text in self.pending.items():
                    self._write(cid, text)
                await self._resume(event["heads"].get(str(self.conv), 0))
                self.synced.set()
            case "pong":
                await self._resume(event["heads"].get(str(self.conv), 0))
            case "ack":
                self.client_log.ack(event["cid"], event["conv"], event["seq"])
                if self.pending.pop(event["cid"], None) is not None:
                    self._window.release()
            case "error":
                self.errors[event["code"]] += 1
                if (cid := event.get("cid", "")) in self.pending:
                    self._retry[cid] = self.pending[cid]
            case _ if event.get("conv") == self.conv and "from" in event and "seq" in event:
                self.last_live_seq = max(self.last_live_seq, event["seq"])
                self._insert(event)
                if self._out_of_order:
                    await self._resume(max(self._out_of_order))

    async def _resume(self, head: int) -> None:
        """Fetch what is missing up to a seq."""
        while self.last_seq < head:
            response = await self.http.fetch(
                f"{self.url}/api/conversations/{self.conv}/events?after={self.last_seq}",
                headers={"Cookie": self.cookie},
                request_timeout=RESPONSE_TIMEOUT,
            )
            found = json.loads(response.body)["events"]
            if not found:
                break
            self.resumed += len(found)
            for event in found:
                self._insert(event)

    def _insert(self, event: dict[str, Any]) -> None:
        """Insert an event at its position. A different event at a known position is a violation."""
        seq, text = event["seq"], event.get("text") or event.get("change") or ""
        if seq <= self.last_seq:
            known = self.view[self.conv, seq]
            if known != text:
                self.client_log.contradictory.append(
                    f"{self.name} received {known!r} and {text!r} at {(self.conv, seq)}"
                )
            return
        self._out_of_order[seq] = text
        while self.last_seq + 1 in self._out_of_order:
            self.last_seq += 1
            self.view[self.conv, self.last_seq] = self._out_of_order.pop(self.last_seq)
