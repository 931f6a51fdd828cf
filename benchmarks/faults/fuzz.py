"""Row 9: frames that no client would send, and bytes that are no frames."""

import asyncio
import contextlib
import itertools
import json
import socket
import struct
from collections import Counter

from benchmarks.faults.crowd import GENEROUS, Crowd
from benchmarks.faults.dough import BROKEN, Dough, client_frame
from benchmarks.faults.leaks import SPARE, settle
from benchmarks.faults.page import Line
from benchmarks.faults.processes import Chat
from benchmarks.faults.stage import FaultError, Stage, until

BATCH = 50
"""Frames in one write."""
AT_ONCE = 4
"""Sockets that send at a time."""
ENDS = "reset", "close", "rude", "rude", "rude", "bad", "stop", "noise"
"""How sockets end: cut off, closed, by what is not allowed, by five bad frames in a row, in the
middle of a frame, or after bytes that may be anything."""


class Wire:
    """A socket as bare bytes, so that anything can be sent on it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.answers: Counter[str] = Counter()
        self.close_code: int | None = None

    @classmethod
    async def open(cls, port: int, cookie: str) -> "Wire":
        """Shake hands as a browser does."""
        wire = cls(*await asyncio.open_connection("127.0.0.1", port))
        host = f"127.0.0.1:{port}"
        wire.writer.write(
            f"GET /ws HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\nCookie: {cookie}\r\n"
            "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
        )
        head = await asyncio.wait_for(wire.reader.readuntil(b"\r\n\r\n"), 30)
        if b" 101 " not in head:
            raise FaultError(f"a handshake was answered with {head[:80]!r}")
        return wire

    async def frame(self) -> tuple[int, bytes] | None:
        """Return the opcode and the payload of the server's next frame, None at the end."""
        try:
            first, length = await self.reader.readexactly(2)
            if length >= 126:
                size, code = (2, "!H") if length == 126 else (8, "!Q")
                (length,) = struct.unpack(code, await self.reader.readexactly(size))
            return first & 0x0F, await self.reader.readexactly(length)
        except (asyncio.IncompleteReadError, ConnectionError):
            return None

    async def hear(self, last: str = "no such cid") -> bool:
        """Read until an answer names this cid; False when the server closes before."""
        # One timeout for all: what has come is read at once, before a reset that follows it.
        async with asyncio.timeout(60):
            while (frame := await self.frame()) is not None:
                opcode, payload = frame
                if opcode == 8:
                    self.close_code = struct.unpack("!H", payload[:2])[0] if payload else 1005
                    return False
                if opcode == 1:
                    event = json.loads(payload)
                    self.answers[event.get("code", event["type"])] += 1
                    if event.get("cid") == last:
                        return True
        return False

    async def close(self, *, reset: bool = False) -> None:
        """Close it; with a reset, as a cable that is cut."""
        if reset:
            sock: socket.socket = self.writer.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.close()
        with contextlib.suppress(ConnectionError):
            await self.writer.wait_closed()


async def play(stage: Stage) -> None:
    """Send it all, and see that the chat answers, forgets nobody and logs no mistake."""
    data = stage.folder / "data"
    crowd = Crowd(stage, data, rooms=4, members=5)
    # A wire does not answer the server's pings.
    options = f"--data={data}", *GENEROUS, "--sockets-per-user=100000", "--ping-interval=86400"
    chat = await Chat(stage, "chat", *options).start()
    neighbour = await Line.open(chat.url, crowd.people[-1][0])
    stage.stack.push_async_callback(neighbour.close)
    await crowd.warm_up(chat.url)
    fuzzer = Fuzzer(stage, crowd, chat)
    frames = stage.pick(20_000, 1_000_000)
    await fuzzer.send(frames // 10, neighbour)  # whatever is made once has been made then
    await fuzzer.alone()
    before = await chat.usage()
    await fuzzer.send(frames, neighbour)
    await fuzzer.alone()
    after = await chat.usage()
    stage.expect("file descriptors", after.fds <= before.fds + SPARE, (before, after))
    stage.expect_equal("tasks", after.tasks, before.tasks)
    await wide_awake(neighbour)
    await neighbour.close()
    stage.figures |= {
        "frames": fuzzer.sent,
        "sockets": fuzzer.sockets,
        "answers": dict(fuzzer.answers),
        "closed as it must": f"{fuzzer.closes.total()} in {len(fuzzer.closes)} ways",
    }
    missed = {*BROKEN, "five bad frames"} - fuzzer.closes.keys()
    stage.expect_equal("ways to end that were not tried", missed, set())
    stage.expect("the chat runs", chat.runs)
    await settle(stage, crowd, chat)
    stage.expect_equal("errors in the log", chat.lines("error")[:3], [])


async def wide_awake(line: Line) -> None:
    """See that a socket is answered."""
    await line.say(type="ping")
    await asyncio.wait_for(line.receive("pong"), 30)


class Fuzzer:
    """Sends frames from several sockets until there were enough."""

    def __init__(self, stage: Stage, crowd: Crowd, chat: Chat) -> None:
        self.stage = stage
        self.crowd = crowd
        self.chat = chat
        self.frames = 0
        self.sent = 0
        self.sockets = 0
        self.answers: Counter[str] = Counter()
        self.closes: Counter[str] = Counter()
        self.ends = itertools.cycle(ENDS)
        self.dough = Dough(stage.random, [int(conv) for _, conv in crowd.people])

    async def send(self, frames: int, neighbour: Line) -> None:
        """Send until there were so many in all; somebody else must notice nothing."""
        self.frames = frames
        await asyncio.gather(*(self.run() for _ in range(AT_ONCE)), self.disturb(neighbour))

    async def alone(self) -> None:
        """Wait until only the neighbour's socket is open."""
        await until("the sockets are gone", lambda: self.chat.visitors() == 1)

    async def run(self) -> None:
        """Open one socket after the other and send on each until it is closed, or long enough."""
        while self.sent < self.frames:
            cookie, _ = self.stage.random.choice(self.crowd.people[:-1])
            wire = await Wire.open(self.chat.port, cookie)
            self.sockets += 1
            end = next(self.ends)
            try:
                for _ in range(self.stage.random.randint(1, 8)):
                    await self.batch(wire)
                await self.last_words(wire, end)
            except ConnectionError:  # it may close while we write
                await wire.hear()
            finally:
                self.answers += wire.answers
                await wire.close(reset=end == "reset")

    async def batch(self, wire: Wire) -> None:
        """Send frames of which never five in a row are bad, and wait for the last one's answer."""
        frames = []
        for number in range(BATCH):
            frames.append(self.dough.decent()[1] if number % 4 == 0 else self.dough.fuzzed())
        cid, last = self.dough.decent()
        wire.writer.write(b"".join(frames) + last)
        self.sent += len(frames) + 1
        self.stage.say(f"{self.sent} of {self.frames} frames, {self.sockets} sockets")
        if not await wire.hear(cid):
            closed = f"closed with {wire.close_code}"
            self.stage.expect("a socket with some good frames stays open", False, closed)
            raise ConnectionResetError

    async def last_words(self, wire: Wire, end: str) -> None:
        """End a socket the hard way."""
        if end == "bad":
            wire.writer.write(b"".join(client_frame(b"{") for _ in range(5)))
            self.sent += 5
            await wire.hear()
            self.stage.expect_equal("five bad frames: close code", wire.close_code, 3501)
            self.closes["five bad frames"] += 1
        elif end == "rude":
            name, frame, code = self.dough.broken()
            wire.writer.write(frame)
            self.sent += 1
            await wire.hear()
            self.stage.expect_equal(f"{name}: close code", wire.close_code, code)
            self.closes[name] += 1
        elif end == "noise":
            wire.writer.write(self.dough.noise())
            self.sent += 1
            with contextlib.suppress(TimeoutError):  # it may leave the server waiting for more
                async with asyncio.timeout(0.2):
                    await wire.hear()
        elif end == "stop":
            wire.writer.write(self.dough.decent()[1][:-3])

    async def disturb(self, neighbour: Line) -> None:
        """See that somebody else notices nothing."""
        while self.sent < self.frames:
            await wide_awake(neighbour)
            await asyncio.sleep(0.2)
