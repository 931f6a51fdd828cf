"""People who write all the time, and lose nothing: clients of the protocol, in a thread.

Each keeps what is not acknowledged and sends it again, comes back when its socket closes, and
fetches what it has missed (PROTOCOL.md, "Coming back").
"""

import asyncio
import itertools
import json
import threading
import uuid
from collections.abc import Callable
from types import TracebackType
from typing import Any

import tornado.httpclient
import tornado.ioloop
import tornado.iostream
import tornado.websocket

from tests.deploy.stack import PATIENCE

WAITING = 4
"""Messages of one writer that are not acknowledged, at any time."""

# What a proxy answers, and what a connection raises, while a process is away.
AWAY = (tornado.httpclient.HTTPError, OSError, tornado.iostream.StreamClosedError)


class Writer:
    """One of them.

    Attributes:
        unacknowledged: the text of each message whose fate is not known, by cid.
        seqs: where each acknowledged message went, by cid.
        events: all that has happened in the conversation, by seq.
        head: up to where nothing of it is missing.
        closes: with what code each socket was closed; None for one that just broke off.
        refused: why a socket or a history could not be had.
    """

    def __init__(self, url: str, cookie: str, conv: int, changed: threading.Condition) -> None:
        self.url = url
        self.headers = {"Cookie": cookie, "Origin": url}
        self.conv = conv
        self.unacknowledged: dict[str, str] = {}
        self.seqs: dict[str, int] = {}
        self.texts: dict[str, str] = {}
        self.events: dict[int, dict[str, Any]] = {}
        self.closes: list[int | None] = []
        self.refused: list[str] = []
        self.head = 0
        self.writing = True
        self._changed = changed
        self._numbers = itertools.count()

    def keep(self, event: dict[str, Any]) -> None:
        """Keep an event, once, and see up to where nothing is missing."""
        self.events[event["seq"]] = event
        while self.head + 1 in self.events:
            self.head += 1

    async def run(self) -> None:
        """Come back again and again."""
        client = tornado.httpclient.AsyncHTTPClient(force_instance=True)
        try:
            while True:
                try:
                    await self._connect(client)
                except AWAY as error:
                    self.refused.append(repr(error))
                    await asyncio.sleep(0)
        finally:
            client.close()

    async def _connect(self, client: tornado.httpclient.AsyncHTTPClient) -> None:
        request = tornado.httpclient.HTTPRequest(
            f"{self.url}/ws".replace("http", "ws", 1), headers=self.headers
        )
        socket = await tornado.websocket.websocket_connect(request)
        frame: str | bytes | None = ""
        try:
            while (frame := await socket.read_message()) is not None:
                await self._hear(client, socket, json.loads(frame))
        except tornado.websocket.WebSocketClosedError:
            pass
        finally:
            socket.close()
            while frame is not None:
                frame = await socket.read_message()
        with self._changed:
            self.closes.append(socket.close_code)
            self._changed.notify_all()

    async def _hear(
        self,
        client: tornado.httpclient.AsyncHTTPClient,
        socket: tornado.websocket.WebSocketClientConnection,
        event: dict[str, Any],
    ) -> None:
        match event["type"]:
            case "hello":
                await self._catch_up(client, event["heads"][str(self.conv)])
                for cid, text in self.unacknowledged.items():
                    await self._send(socket, cid, text)
            case "ack":
                self.unacknowledged.pop(event["cid"], None)
                self.seqs[event["cid"]] = event["seq"]
            case "message":
                self.keep(event)
                await self._catch_up(client, event["seq"])
            case "error":
                raise AssertionError(event)
        while self.writing and len(self.unacknowledged) < WAITING:
            cid, text = str(uuid.uuid4()), f"message {next(self._numbers)} of {id(self)}"
            self.unacknowledged[cid] = self.texts[cid] = text
            await self._send(socket, cid, text)
        with self._changed:
            self._changed.notify_all()

    async def _send(
        self, socket: tornado.websocket.WebSocketClientConnection, cid: str, text: str
    ) -> None:
        frame = {"type": "send", "cid": cid, "conv": self.conv, "text": text}
        await socket.write_message(json.dumps(frame))

    async def _catch_up(self, client: tornado.httpclient.AsyncHTTPClient, head: int) -> None:
        while self.head < head:
            url = f"{self.url}/api/conversations/{self.conv}/events?after={self.head}"
            response = await client.fetch(url, headers=self.headers)
            for event in json.loads(response.body)["events"]:
                self.keep(event)


class Writers:
    """Some writers in a conversation, from `with` to its end."""

    def __init__(self, url: str, cookies: list[str], conv: int) -> None:
        self._changed = threading.Condition()
        self.all = [Writer(url, cookie, conv, self._changed) for cookie in cookies]
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()))
        self._stop: Callable[[], object] = lambda: None
        self._ends: list[BaseException | None] = []

    async def _run(self) -> None:
        loop, end = asyncio.get_running_loop(), asyncio.Event()
        self._stop = lambda: loop.call_soon_threadsafe(end.set)
        running = [asyncio.ensure_future(writer.run()) for writer in self.all]
        ending = asyncio.ensure_future(end.wait())
        await asyncio.wait([ending, *running], return_when=asyncio.FIRST_COMPLETED)
        for task in ending, *running:
            task.cancel()
        self._ends = await asyncio.gather(*running, return_exceptions=True)

    def __enter__(self) -> "Writers":
        self._thread.start()
        self.go_on(10)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._thread.is_alive():
            self._stop()
        self._thread.join(PATIENCE)
        for end in self._ends:
            if error is None and end is not None and not isinstance(end, asyncio.CancelledError):
                raise end

    def wait(self, ready: Callable[[], bool], what: str) -> None:
        """Wait until it is so; it is looked at again whenever a writer hears something."""

        def over() -> bool:
            return ready() or not self._thread.is_alive()

        with self._changed:
            self._changed.wait_for(over, PATIENCE)
        assert ready(), f"not {what}: {[(len(w.seqs), w.closes, w.refused) for w in self.all]}"

    def go_on(self, messages: int) -> None:
        """Wait until each has got so many more messages acknowledged."""
        goals = [(writer, len(writer.seqs) + messages) for writer in self.all]
        self.wait(lambda: all(len(w.seqs) >= goal for w, goal in goals), "acknowledged")

    def finish(self) -> None:
        """Write no more, and wait until all is acknowledged and everybody has it."""
        for writer in self.all:
            writer.writing = False
        self.wait(lambda: not any(w.unacknowledged for w in self.all), "all acknowledged")
        head = max(max(writer.seqs.values()) for writer in self.all)
        self.wait(lambda: all(writer.head >= head for writer in self.all), "all delivered")

    def closes(self) -> list[int | None]:
        return [code for writer in self.all for code in writer.closes]
