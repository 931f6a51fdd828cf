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

from fault_injection.harness.consistency import ClientLog, Place

WINDOW = 4
"""Messages that may wait for their acknowledgement."""
PATIENCE = 10
"""Seconds until a server that does not answer is given up."""
LONGEST_PAUSE = 1.0
"""Seconds of the longest pause before the next try; a browser waits longer."""

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
        name: of the user, for the ledger.
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
        self.random = rng
        self.http = http
        self.ping_every = ping_every
        self.url = ""
        self.view: dict[Place, str] = {}
        self.last = 0
        self.pending: dict[str, str] = {}
        self.closes: Counter[int | None] = Counter()
        """How the server ended connections: the code, or None when there was none."""
        self.given_up = 0
        """Connections that were closed here, as nothing came back."""
        self.refused: Counter[int] = Counter()
        """Handshakes and requests that were answered with an error, by status; 599: not at all."""
        self.errors: Counter[str] = Counter()
        """Error events, by code."""
        self.resumed = 0
        """Events that did not come by the socket but were fetched."""
        self.live_last = 0
        """The newest seq that came by the socket."""
        self.leaving = False
        self.banned = False
        """Told not to come back."""
        self.may_connect = asyncio.Event()
        self.may_connect.set()
        self.connected = asyncio.Event()
        self.synced = asyncio.Event()
        """Connected, and all is there that was when it connected."""
        self._early: dict[int, str] = {}
        self._again: dict[str, str] = {}
        self._socket: tornado.websocket.WebSocketClientConnection | None = None
        self._room = asyncio.Semaphore(WINDOW)
        self._answered = 0.0
        self._gave_up = False

    async def run(self) -> None:
        """Be connected until `leave`."""
        pause = 0.05
        while not self.leaving and not self.banned:
            await self.may_connect.wait()
            try:
                await self._run_connection()
                pause = 0.05
            except DISCONNECT_ERRORS as error:
                if isinstance(error, tornado.httpclient.HTTPError):
                    self.refused[error.code] += 1
                pause = min(LONGEST_PAUSE, pause * 2)
            finally:
                self.connected.clear()
                self.synced.clear()
            if not self.leaving:
                await asyncio.sleep(self.random.uniform(0, pause))

    def leave(self) -> None:
        """Close the connection and do not come back."""
        self.leaving = True
        self.may_connect.set()
        self.drop()

    def drop(self) -> None:
        """Close the connection."""
        if self._socket is not None:
            self._socket.close(1000)

    async def send(self, text: str) -> str:
        """Send a message once there is room in the window; return its cid."""
        await self._room.acquire()
        cid = str(uuid.UUID(int=self.random.getrandbits(128), version=4))
        self.client_log.send(cid, self.conv, text)
        self.pending[cid] = text
        self._write(cid, text)
        return cid

    def _write(self, cid: str, text: str) -> None:
        self._say({"type": "send", "cid": cid, "conv": self.conv, "text": text})

    def _say(self, frame: dict[str, Any]) -> None:
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
            connect_timeout=PATIENCE,
            request_timeout=PATIENCE,
        )
        socket = self._socket = await tornado.websocket.websocket_connect(request)
        pulse = asyncio.ensure_future(self._heartbeat(socket))
        self._gave_up = ended = False
        try:
            if self.leaving:
                socket.close(1000)
            while (message := await socket.read_message()) is not None:
                self._answered = asyncio.get_running_loop().time()
                await self._handle_event(json.loads(message))
            ended = True
            if not self._gave_up:
                self.closes[socket.close_code] += 1
            self.banned = 3500 <= (socket.close_code or 0) < 4000
        finally:
            pulse.cancel()
            self._socket = None
            socket.close()
            while not ended:  # what nobody reads would keep its end from being noticed
                ended = await socket.read_message() is None

    async def _heartbeat(self, socket: tornado.websocket.WebSocketClientConnection) -> None:
        """Ping now and then; send again what was refused; give up a server that does not answer."""
        loop = asyncio.get_running_loop()
        self._answered = loop.time()
        while True:
            await asyncio.sleep(self.ping_every)
            if loop.time() - self._answered > PATIENCE:
                self._gave_up = True
                self.given_up += 1
                socket.close(1000)
                return
            self._say({"type": "ping"})
            again, self._again = self._again, {}
            for cid, text in again.items():
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
                    self._room.release()
            case "error":
                self.errors[event["code"]] += 1
                if (cid := event.get("cid", "")) in self.pending:
                    self._again[cid] = self.pending[cid]
            case _ if event.get("conv") == self.conv and "from" in event and "seq" in event:
                self.live_last = max(self.live_last, event["seq"])
                self._insert(event)
                if self._early:
                    await self._resume(max(self._early))

    async def _resume(self, head: int) -> None:
        """Fetch what is missing up to a seq."""
        while self.last < head:
            response = await self.http.fetch(
                f"{self.url}/api/conversations/{self.conv}/events?after={self.last}",
                headers={"Cookie": self.cookie},
                request_timeout=PATIENCE,
            )
            found = json.loads(response.body)["events"]
            if not found:
                break
            self.resumed += len(found)
            for event in found:
                self._insert(event)

    def _insert(self, event: dict[str, Any]) -> None:
        """Put an event in its place; the same one again is dropped, another one is disputed."""
        seq, text = event["seq"], event.get("text") or event.get("change") or ""
        if seq <= self.last:
            known = self.view[self.conv, seq]
            if known != text:
                self.client_log.disputed.append(
                    f"{self.name} was told {known!r} and {text!r} at {(self.conv, seq)}"
                )
            return
        self._early[seq] = text
        while self.last + 1 in self._early:
            self.last += 1
            self.view[self.conv, self.last] = self._early.pop(self.last)
