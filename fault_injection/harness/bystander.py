"""A client in a process of its own that sends messages and measures the latency of acks.

    python -m fault_injection.harness.bystander URL COOKIE CONVERSATION

Scenarios that attack the chat use it to show that other users are not slowed down. It prints one
line when it is connected. For each line on its standard input it prints, as JSON, the latencies
since the previous line, in milliseconds. It ends when its standard input is closed.
"""

import asyncio
import contextlib
import json
import sys
import uuid
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass

from fault_injection.harness.context import Context, FaultError
from fault_injection.harness.processes import ROOT, Process
from tests.support.chat_client import ChatSocket

SEND_EVERY = 0.02
"""Seconds between two messages. They are sent at a constant rate, whether or not acks have come, so
that a chat which is silent for a second is measured fifty times and not once."""

ALLOWED_MS = 50.0
"""Milliseconds by which the 99th percentile may be above its normal value during an attack."""


@dataclass(frozen=True)
class Latency:
    """Time from a message to its ack, in milliseconds."""

    count: int
    p50: float
    p99: float
    longest: float

    @classmethod
    def summarize(cls, milliseconds: list[float]) -> "Latency":
        """Return the percentiles of latencies in milliseconds; zeros if there are none."""
        if not milliseconds:
            return cls(0, 0.0, 0.0, 0.0)
        ordered = sorted(milliseconds)
        last = len(ordered) - 1
        return cls(len(ordered), ordered[last // 2], ordered[round(last * 0.99)], ordered[last])


class Bystander(Process):
    """The process of this module, as a scenario uses it.

    Args:
        context: the context of the scenario; the process ends with it.
        name: name of the log file, also used in messages.
    """

    def __init__(self, context: Context, name: str = "bystander") -> None:
        super().__init__(context, name)
        self._context = context
        self.normal = Latency.summarize([])
        """Latency without an attack, set by `measure_normal`."""

    async def start(self, url: str, cookie: str, conv: int | str) -> "Bystander":
        """Start the process, and return when it is connected and sends messages.

        Args:
            url: scheme, host and port of the chat.
            cookie: value of the Cookie header of a user.
            conv: id of the conversation to which it sends.

        Raises:
            FaultError: it could not connect.
        """
        await self.spawn(
            *(sys.executable, "-m", "fault_injection.harness.bystander", url, cookie, str(conv)),
            cwd=ROOT,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        if not await self.read_line():
            raise FaultError(f"{self.name} did not connect: {self.read_log()[-2000:]}")
        return self

    async def latency(self) -> Latency:
        """Return the latencies since the previous call.

        Raises:
            FaultError: the chat closed the connection.
        """
        assert self.process.stdin is not None
        self.process.stdin.write(b"\n")
        line = await self.read_line()
        if not line:
            raise FaultError(f"{self.name} has ended: {self.read_log()[-2000:]}")
        return Latency(**json.loads(line))

    async def measure_normal(self, seconds: float) -> Latency:
        """Measure the normal latency for some seconds, for `undisturbed` to compare with."""
        await self.latency()
        await asyncio.sleep(seconds)
        self.normal = await self.latency()
        return self.normal

    @asynccontextmanager
    async def undisturbed(self, attack: str) -> AsyncGenerator[None]:
        """Check that the 99th percentile rises by at most `ALLOWED_MS` inside the block."""
        await self.latency()
        yield
        found = await self.latency()
        text = f"{found.p99:.1f} (normal {self.normal.p99:.1f}, longest {found.longest:.1f})"
        self._context.figures[f"{attack}: bystander's p99 ms"] = text
        self._context.expect(f"{attack}: the bystander sends", found.count > 0)
        near = found.p99 <= self.normal.p99 + ALLOWED_MS
        self._context.expect_time(f"{attack}: the bystander's p99 ms", near, text)


class Sender:
    """Sends messages at a constant rate and measures the latencies of their acks.

    Args:
        connection: an open connection.
        conv: id of the conversation.
    """

    def __init__(self, connection: ChatSocket, conv: int) -> None:
        self.connection = connection
        self.conv = conv
        self.sent: dict[str, float] = {}
        self.measured: list[float] = []

    async def send(self) -> None:
        """Send messages until cancelled."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            cid = str(uuid.uuid4())
            self.sent[cid] = due
            await self.connection.send(self.conv, "still here", cid)
            due += SEND_EVERY
            await asyncio.sleep(max(0.0, due - loop.time()))

    async def receive(self) -> None:
        """Match acks with messages until the connection is closed.

        Raises:
            ConnectionError: the connection was closed, or a message was refused.
        """
        loop = asyncio.get_running_loop()
        while True:
            event = await self.connection.receive("ack", "error")
            if event["type"] == "error":
                raise ConnectionError(f"a message was refused: {event}")
            self.measured.append((loop.time() - self.sent.pop(event["cid"])) * 1000)

    def collect(self) -> Latency:
        """Return the latencies since the previous call.

        A message that has waited for more than a second counts with the time of its wait so far.
        """
        now = asyncio.get_running_loop().time()
        waiting = [(now - due) * 1000 for due in self.sent.values()]
        measured, self.measured = self.measured, []
        return Latency.summarize(measured + [late for late in waiting if late > 1000])


async def main(url: str, cookie: str, conv: str) -> None:
    """Send messages until standard input is closed."""
    sender = Sender(await ChatSocket.open(url, cookie), int(conv))
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    tasks = [asyncio.ensure_future(sender.receive()), asyncio.ensure_future(sender.send())]
    tasks.append(asyncio.ensure_future(answer(sender, reader)))
    print("connected", flush=True)
    done, rest = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in rest:
        task.cancel()
    for task in done:
        task.result()


async def answer(sender: Sender, reader: asyncio.StreamReader) -> None:
    """Print the latencies for each line on standard input."""
    while await reader.readline():
        print(json.dumps(asdict(sender.collect())), flush=True)


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main(*sys.argv[1:4]))
