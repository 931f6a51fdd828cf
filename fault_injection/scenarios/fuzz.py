"""Mutated frames, violations of the protocol, and random bytes."""

import asyncio
import contextlib
import itertools
import json
import socket
import struct
from collections import Counter

from fault_injection.harness.client_pool import ClientPool
from fault_injection.harness.context import Context, FaultError, wait_until, wait_until_async
from fault_injection.harness.frame_generator import PROTOCOL_VIOLATIONS, FrameGenerator
from fault_injection.harness.leaks import FD_SLACK, stop_and_check_leaks
from fault_injection.harness.processes import ChatProcess
from tests.support.chat_client import ChatSocket
from tests.support.websocket_frames import CLOSE, TEXT, client_frame, code_of, handshake, read_frame

BATCH = 50
"""Frames in one write."""
AT_ONCE = 4
"""Sockets that send at the same time."""
ENDINGS = "reset", "close", *("violation",) * 3, "bad_frames", "stop", "random"
"""Ways in which the client ends a socket: a TCP reset, closing it, a violation of the protocol,
five bad frames in a row, the end in the middle of a frame, and random bytes."""


class RawSocket:
    """A WebSocket as streams of bytes, so that any bytes can be sent.

    Args:
        reader: the bytes of the server.
        writer: the bytes of the client.
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.answers: Counter[str] = Counter()
        self.close_code: int | None = None

    @classmethod
    async def open(cls, port: int, cookie: str) -> "RawSocket":
        """Connect and do the handshake of a browser.

        Raises:
            FaultError: the handshake was refused.
        """
        raw = cls(*await asyncio.open_connection("127.0.0.1", port))
        host = f"127.0.0.1:{port}"
        raw.writer.write(handshake(host, {"Origin": f"http://{host}", "Cookie": cookie}))
        head = await asyncio.wait_for(raw.reader.readuntil(b"\r\n\r\n"), 30)
        if b" 101 " not in head:
            raise FaultError(f"a handshake was answered with {head[:80]!r}")
        return raw

    async def read_until(self, last: str = "no such cid") -> bool:
        """Read until an event names a cid; return False if the server closes before."""
        # One timeout around all reads: a task switch before each read would let a reset discard
        # the frames that have arrived before it.
        async with asyncio.timeout(60):
            while (frame := await read_frame(self.reader)) is not None:
                opcode, payload = frame
                if opcode == CLOSE:
                    self.close_code = code_of(payload)
                    return False
                if opcode == TEXT:
                    event = json.loads(payload)
                    self.answers[event.get("code", event["type"])] += 1
                    if event.get("cid") == last:
                        return True
        return False

    async def close(self, *, reset: bool = False) -> None:
        """Close the connection, with a TCP reset if asked for."""
        if reset:
            sock: socket.socket = self.writer.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.close()
        with contextlib.suppress(ConnectionError):
            await self.writer.wait_closed()


async def run(context: Context) -> None:
    """Send the frames; check that the chat answers, leaks nothing and logs no uncaught error."""
    pool = ClientPool(context, rooms=4, members=5)
    # A raw socket does not answer the server's pings.
    options = "--sockets-per-user=100000", "--ping-interval=86400"
    chat = await pool.chat("chat", *options).start()
    bystander = await ChatSocket.connect(chat.url, pool.credentials[-1][0])
    context.stack.push_async_callback(bystander.close)
    await pool.warm_up(chat.url)
    fuzzer = Fuzzer(context, pool, chat)
    frames = context.short_or_long(20_000, 1_000_000)
    await fuzzer.send(frames // 10, bystander)  # caches and threads exist after this
    await fuzzer.wait_until_alone()
    before = await chat.usage()
    await fuzzer.send(frames, bystander)
    await fuzzer.wait_until_alone()

    async def tasks_have_ended() -> bool:
        return (await chat.usage()).tasks <= before.tasks

    await wait_until_async("the tasks of closed connections have ended", tasks_have_ended)
    after = await chat.usage()
    context.expect("file descriptors", after.fds <= before.fds + FD_SLACK, (before, after))
    await check_responsive(bystander)
    await bystander.close()
    context.figures |= {
        "frames": fuzzer.sent,
        "sockets": fuzzer.sockets,
        "answers": dict(fuzzer.answers),
        "closed as it must": f"{fuzzer.closes.total()} in {len(fuzzer.closes)} ways",
    }
    missed = {*PROTOCOL_VIOLATIONS, "five bad frames"} - fuzzer.closes.keys()
    context.expect_equal("ways to end that were not tried", missed, set())
    context.expect("the chat runs", chat.is_running)
    await stop_and_check_leaks(pool)
    context.expect_equal("errors in the log", chat.log_entries("error")[:3], [])


async def check_responsive(connection: ChatSocket) -> None:
    """Check that a ping is answered within 30 seconds."""
    await connection.send_frame(type="ping")
    await asyncio.wait_for(connection.receive("pong"), 30)


class Fuzzer:
    """Sends frames from several sockets.

    Args:
        context: the context of the scenario.
        pool: the users.
        chat: the chat.
    """

    def __init__(self, context: Context, pool: ClientPool, chat: ChatProcess) -> None:
        self.context = context
        self.pool = pool
        self.chat = chat
        self.frames = 0
        self.sent = 0
        self.sockets = 0
        self.answers: Counter[str] = Counter()
        self.closes: Counter[str] = Counter()
        self.endings = itertools.cycle(ENDINGS)
        self.generator = FrameGenerator(context.rng, [int(conv) for _, conv in pool.credentials])

    async def send(self, frames: int, bystander: ChatSocket) -> None:
        """Send until `frames` frames were sent in all, and check that a bystander is answered."""
        self.frames = frames
        await asyncio.gather(*(self.run() for _ in range(AT_ONCE)), self.check_bystander(bystander))

    async def wait_until_alone(self) -> None:
        """Wait until only the bystander's socket is open."""
        await wait_until("the sockets are gone", lambda: self.chat.client_connections() == 1)

    async def run(self) -> None:
        """Open one socket after the other, send batches of frames on each, and end it."""
        while self.sent < self.frames:
            cookie, _ = self.context.rng.choice(self.pool.credentials[:-1])
            raw = await RawSocket.open(self.chat.port, cookie)
            self.sockets += 1
            end = next(self.endings)
            try:
                for _ in range(self.context.rng.randint(1, 8)):
                    await self.batch(raw)
                await self.end_socket(raw, end)
            except ConnectionError:  # the server may close during a write
                await raw.read_until()
            finally:
                self.answers += raw.answers
                await raw.close(reset=end == "reset")

    async def batch(self, raw: RawSocket) -> None:
        """Send frames without five bad ones in a row, and wait for the answer to the last one.

        Raises:
            ConnectionResetError: the server closed the socket, which is a violation.
        """
        frames = []
        for number in range(BATCH):
            frames.append(
                self.generator.valid_frame()[1]
                if number % 4 == 0
                else self.generator.mutated_frame()
            )
        cid, last = self.generator.valid_frame()
        raw.writer.write(b"".join(frames) + last)
        self.sent += len(frames) + 1
        self.context.progress(f"{self.sent} of {self.frames} frames, {self.sockets} sockets")
        if not await raw.read_until(cid):
            closed = f"closed with {raw.close_code}"
            self.context.expect("a socket with some good frames stays open", False, closed)
            raise ConnectionResetError

    async def end_socket(self, raw: RawSocket, end: str) -> None:
        """End a socket in one of the ways of `ENDINGS`, and check the close code."""
        if end == "bad_frames":
            raw.writer.write(b"".join(client_frame(TEXT, b"{") for _ in range(5)))
            self.sent += 5
            await raw.read_until()
            self.context.expect_equal("five bad frames: close code", raw.close_code, 3501)
            self.closes["five bad frames"] += 1
        elif end == "violation":
            name, frame, code = self.generator.protocol_violation()
            raw.writer.write(frame)
            self.sent += 1
            await raw.read_until()
            self.context.expect_equal(f"{name}: close code", raw.close_code, code)
            self.closes[name] += 1
        elif end == "random":
            raw.writer.write(self.generator.random_bytes())
            self.sent += 1
            with contextlib.suppress(TimeoutError):  # the server may wait for the rest of a frame
                async with asyncio.timeout(0.2):
                    await raw.read_until()
        elif end == "stop":
            raw.writer.write(self.generator.valid_frame()[1][:-3])

    async def check_bystander(self, bystander: ChatSocket) -> None:
        """Check that a bystander is answered while frames are sent."""
        while self.sent < self.frames:
            await check_responsive(bystander)
            await asyncio.sleep(0.2)
