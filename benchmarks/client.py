"""The load client: a process of its own that opens connections, sends, and counts what comes back.

    python -m benchmarks.client < order.json

The order names a server (`Target`), how many connections in how many rooms, and steps to take one
after the other, such as `{"step": "saturate", "seconds": 1.5}`; the arguments of a step are those
of the method of `Load` with its name. The result of each step is a line of JSON.

Connection i belongs to room i modulo the number of rooms. Nothing here uses asyncio: a loop of its
own costs half as much for a read, and what the client does not need, the server can be given.
"""

import contextlib
import dataclasses
import gc
import http.client
import json
import os
import random
import selectors
import socket
import struct
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import psutil  # type: ignore[import-untyped]

from benchmarks import frames

HOST = "127.0.0.1"
READ = 1 << 16
PATIENCE = 60.0
"""Seconds in which connections must open."""
TOO_SLOW = 5.0
"""Seconds by which a measurement is prolonged at the most."""
QUIET = 0.1
"""Seconds in which nothing may come any more when all has come."""
LATE = 1000
"""Microseconds after which a message was sent too late to say anything about the server."""


SAMPLE = 4
"""Of so many reads that are only counted, the time that one message took is looked at."""
KEEPS_UP = 0.8
"""A server that delivers less than this part of what is sent is overloaded."""


class LoadError(Exception):
    """The server does not do what a benchmark needs; the text says what."""


@dataclass(frozen=True)
class Target:
    """A server and how to speak to it.

    In `path`, `headers`, `join` and `message`, `%room` stands for the number of the connection's
    room, and for what line i of `values` gives for connection i: `%cookie` and `%conv`; in
    `headers`, `%port`; in `message`, `%cid` for a new UUID and `%text` for the text.
    """

    port: int
    pid: int
    path: str = "/%room"
    headers: list[str] = field(default_factory=list)
    join: str = ""
    """A frame to send when the handshake is done."""
    ready: str = ""
    """What must come before the connection counts as open."""
    message: str = "%text"
    pings: dict[str, str] = field(default_factory=dict)
    """Text frames that want an answer, and the answer."""
    values: list[str] = field(default_factory=list)


class Connection:
    """One connection and what was counted on it."""

    __slots__ = (
        "due",
        "got",
        "kept",
        "number",
        "reader",
        "room",
        "shut",
        "sock",
        "state",
        "unsent",
    )

    sock: socket.socket
    kept: bytes | bytearray
    """Of the stream so far, what is needed to go on."""

    def __init__(self, number: int, room: int) -> None:
        self.number = number
        self.room = room
        self.state = "new"
        self.shut = False
        self.got = 0
        self.due: set[int] = set()
        self.unsent = b""
        self.reader = frames.FrameReader()


class Load:
    """Connections to one server, and the steps that can be taken with them.

    Args:
        size: characters of a text.
        seed: of what is random; two clients of one server need different ones.
        drain: seconds without any delivery after which what has not come is lost.
    """

    def __init__(
        self,
        target: Target,
        connections: int,
        rooms: int,
        *,
        size: int = 200,
        seed: int = 0,
        drain: float = 3.0,
    ) -> None:
        self.target = target
        self.drain = drain
        self.server = psutil.Process(target.pid)
        self.rooms = rooms
        self.members = [len(range(room, connections, rooms)) for room in range(rooms)]
        self.connections = [Connection(i, i % rooms) for i in range(connections)]
        self.selector = selectors.DefaultSelector()
        self.marks = frames.MarkCounter()
        self.padding = ("benchmark " * (size // 10 + 1))[: max(0, size - frames.STAMP)]
        self.random = random.Random(seed)  # noqa: S311
        self.cid = f"-7000-8000-{self.random.getrandbits(48):012x}"
        self.messages = 0
        self.bulk = False
        self.reads = 0
        self.opening = 0
        self.latencies: list[int] = []
        """Microseconds from when a message was due to when it came."""
        self.sent = [0] * rooms
        self.sent_due: list[set[int]] = [set() for _ in range(rooms)]
        self.got = [0] * rooms
        self.doubled = 0
        self.blocked: set[Connection] = set()
        self.templates = [self._fill(target.message, one) for one in self.connections]

    # Steps

    def open(self, parallel: int = 64) -> dict[str, float]:
        """Open all connections, at most `parallel` handshakes at once."""
        cpu, rss, begin = self._cpu(), self._rss(), time.perf_counter()
        self._open_all(parallel)
        seconds = time.perf_counter() - begin
        count = len(self.connections)
        return {
            "seconds": seconds,
            "handshakes_per_s": count / seconds,
            "cpu_us_per_handshake": (self._cpu() - cpu) / count * 1e6,
            "kib_before": rss / 1024,
        }

    def storm(self) -> dict[str, float]:
        """Break all connections at once, and let all come back at once."""
        cpu, begin = self._cpu(), time.perf_counter()
        for connection in self.connections:
            self._close(connection)
        self._open_all(len(self.connections))
        return {
            "seconds": time.perf_counter() - begin,
            "cpu_s": self._cpu() - cpu,
        }

    def hold(self, seconds: float) -> dict[str, float]:
        """Keep the connections open without sending; the server's memory with them."""
        begin, cpu = time.perf_counter(), self._cpu()
        while (left := begin + seconds - time.perf_counter()) > 0:
            self._poll(left)
        return {
            "kib": self._rss() / 1024,
            "open": sum(not connection.shut for connection in self.connections),
            "server_busy": (self._cpu() - cpu) / seconds,
        }

    def saturate(self, seconds: float, windows: list[int], **more: Any) -> dict[str, float]:
        """Saturate the server with so many messages of each room under way; the best counts.

        Few under way leave a server idle that waits for a disk, many are a burden to others.
        """
        tries = [self._saturate(seconds, window, **more) for window in windows]
        best = max(tries, key=lambda figures: figures["per_s"])
        return best | {
            name: sum(figures[name] for figures in tries) for name in ("lost", "doubled", "closed")
        }

    def _saturate(
        self,
        seconds: float,
        window: int,
        warmup: float = 0.2,
        senders: int = 10,
        pause: float = 0.0002,
    ) -> dict[str, float]:
        """Keep `window` messages of each room under way, sent in turn by `senders` of its members.

        What is under way at the beginning has to come in before the measurement begins, and as much
        again has to come before it ends: a server that reads everything first and only then sends
        would look far too slow, or far too fast.

        Args:
            pause: seconds between two looks at the connections. More comes with one read then.
        """
        self._begin(bulk=True)
        turn = [0] * self.rooms
        under_way = window * len(self.connections)
        measured: _Window | None = None
        end = time.perf_counter() + warmup
        enough = under_way
        while True:
            now = time.perf_counter()
            if (now >= end and sum(self.got) >= enough) or now >= end + TOO_SLOW:
                if measured is not None:
                    break
                measured, end = _Window(self), now + seconds
                enough = sum(self.got) + under_way
                self.latencies.clear()
            for room, sent in enumerate(self.sent):
                members = self.members[room]
                free = window - (sent * members - self.got[room] + members - 1) // members
                for _ in range(free):
                    turn[room] = (turn[room] + 1) % min(senders, members)
                    self._send(room, turn[room], time.perf_counter_ns() // 1000)
            time.sleep(pause)
            self._poll(0)
        return self._finish(measured.close()) | {"window": window}

    def pace(
        self,
        rate: float,
        seconds: float,
        warmup: float = 0.5,
        senders: int = 10,
        exact: bool = True,
    ) -> dict[str, float]:
        """Send `rate` messages a second, to the rooms in turn, whatever the server does.

        A message bears the time at which it was due, so that a client that is held up does not
        flatter the server.

        Args:
            exact: take every frame apart and check each message on each connection, or only count.
        """
        self._begin(bulk=not exact)
        step = 1e6 / rate
        begin = time.perf_counter_ns() // 1000
        measured: _Window | None = None
        late = number = 0
        end = begin + (warmup + seconds) * 1e6
        while True:
            now = time.perf_counter_ns() // 1000
            if measured is None and now >= begin + warmup * 1e6:
                measured, late = _Window(self), 0
                self.latencies.clear()
            if now >= end:
                break
            while (due := begin + int(number * step)) <= now:
                late += now - due > LATE
                room, round_ = number % self.rooms, number // self.rooms
                self._send(room, round_ % min(senders, self.members[room]), due)
                number += 1
            # A selector counts in milliseconds: the last one is waited for without sleeping.
            self._poll(max(0.0, (due - now) / 1e6 - 0.001))
        assert measured is not None
        return self._finish(measured.close()) | {"late": late / max(1, number)}

    def load(self, rates: list[float], seconds: float, warmup: float = 0.2) -> dict[str, Any]:
        """Pace at one rate after the other, until the server does not keep up."""
        points = []
        for rate in rates:
            point = self.pace(rate, seconds, warmup, exact=False)
            members = len(self.connections) / self.rooms
            points.append(point | {"offered_per_s": rate * members})
            if point["per_s"] < KEEPS_UP * rate * members:
                break
        return {"points": points}

    def history(self, messages: int, requests: int = 100) -> dict[str, float]:
        """Ask a chat for pages of a room's history: the newest, and some from anywhere in it."""
        cookie, _, conv = self._value(0).partition("\t")
        figures: dict[str, float] = {}
        server = http.client.HTTPConnection(HOST, self.target.port, timeout=PATIENCE)
        with contextlib.closing(server):
            for name, befores in (
                ("newest", [""] * requests),
                ("older", [f"?before={self.random.randint(2, messages)}" for _ in range(requests)]),
            ):
                taken = []
                for before in befores:
                    begin = time.perf_counter_ns()
                    path = f"/api/conversations/{conv}/events{before}"
                    server.request("GET", path, headers={"Cookie": cookie})
                    response = server.getresponse()
                    body = response.read()
                    taken.append((time.perf_counter_ns() - begin) // 1000)
                    if response.status != 200:
                        raise LoadError(f"{path} was answered with {response.status}: {body!r}")
                figures |= {f"{name}_{key}": ms for key, ms in quantiles(taken).items()}
        return figures

    # What the steps are made of

    def _begin(self, *, bulk: bool) -> None:
        """Count from zero. Nothing is under way, so every stream stands between two frames."""
        self.bulk = bulk
        self.doubled = 0
        self.latencies.clear()
        self.sent = [0] * self.rooms
        self.got = [0] * self.rooms
        self.sent_due = [set() for _ in range(self.rooms)]
        for connection in self.connections:
            connection.got = 0
            connection.due.clear()
            connection.kept = bytes(frames.MarkCounter.KEPT)
        gc.collect()
        gc.disable()

    def _finish(self, figures: dict[str, float]) -> dict[str, float]:
        """Wait for what is under way, and compare what has come with what was sent."""
        latencies, self.latencies = self.latencies, []
        want = sum(sent * members for sent, members in zip(self.sent, self.members, strict=True))
        last, at = -1, time.perf_counter()
        while (come := sum(self.got)) < want:
            if come != last:
                last, at = come, time.perf_counter()
            if time.perf_counter() > at + self.drain:
                break
            self._poll(0.02)
        quiet = time.perf_counter() + QUIET
        while time.perf_counter() < quiet:
            self._poll(0.02)
        gc.enable()
        lost, doubled = 0, self.doubled
        for connection in self.connections:
            if self.bulk:
                lost += max(0, self.sent[connection.room] - connection.got)
                doubled += max(0, connection.got - self.sent[connection.room])
            else:
                lost += len(self.sent_due[connection.room] - connection.due)
                doubled += len(connection.due - self.sent_due[connection.room])  # another room's
        self.bulk = False
        figures |= quantiles(latencies)
        closed = sum(connection.shut for connection in self.connections)
        counts = {"sent_all": sum(self.sent), "lost": lost, "doubled": doubled, "closed": closed}
        return figures | counts

    def _open_all(self, parallel: int) -> None:
        begin, started = time.perf_counter(), 0
        self.opening = 0
        left = list(reversed(self.connections))
        while left or self.opening:
            while left and self.opening < parallel:
                self._connect(left.pop())
                started += 1
            self._poll(0.05)
            if time.perf_counter() > begin + PATIENCE:
                raise LoadError(f"{started - self.opening} connections opened in {PATIENCE:.0f} s")

    def _connect(self, connection: Connection) -> None:
        connection.sock = sock = socket.socket()
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # A reset at the end: tens of thousands of ports would wait in TIME_WAIT otherwise.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.state = "connecting"
        connection.shut = False
        connection.kept = b""
        connection.unsent = b""
        connection.reader = frames.FrameReader()
        self.opening += 1
        sock.connect_ex((HOST, self.target.port))
        self.selector.register(sock, selectors.EVENT_WRITE, connection)

    def _poll(self, timeout: float) -> None:
        """Wait for connections that have something, and read it."""
        serve = self._count if self.bulk else self._serve
        for connection in list(self.blocked):
            self._flush(connection)
        for key, _ in self.selector.select(timeout):
            serve(key.data)

    def _count(self, connection: Connection) -> None:
        """Read what is there and only count the marks in it."""
        try:
            size = connection.sock.recv_into(self.marks.space)
        except BlockingIOError:
            return
        except OSError:
            size = 0
        if not size:
            self._close(connection)
            return
        found, connection.kept = self.marks.count(connection.kept, size)
        connection.got += found
        self.got[connection.room] += found
        self.reads += 1
        if self.reads % SAMPLE == 0:
            due = self.marks.first_due(size)
            if due is not None:
                self.latencies.append(time.perf_counter_ns() // 1000 - due)

    def _serve(self, connection: Connection) -> None:
        """Go on with a handshake, or take apart the frames that are there."""
        if connection.state == "connecting":
            self._request(connection)
            return
        try:
            data = connection.sock.recv(READ)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._close(connection)
            return
        if connection.state == "handshake":
            head, end, data = (bytes(connection.kept) + data).partition(b"\r\n\r\n")
            if not end:
                connection.kept = head
                return
            if not head.startswith(b"HTTP/1.1 101") or frames.ACCEPT not in head:
                raise LoadError(f"the handshake was answered with {head.splitlines()[0]!r}")
            connection.state = "joining"
            if self.target.join:
                self._write(connection, self._fill(self.target.join, connection).encode())
            if not self.target.ready:
                self._opened(connection)
        now = time.perf_counter_ns() // 1000
        for opcode, payload in connection.reader.feed(data):
            if opcode == frames.TEXT:
                self._take(connection, payload, now)
            elif opcode == frames.PING:
                self._write(connection, payload, frames.PONG)
            elif opcode == frames.CLOSE:
                self._close(connection)
                return

    def _take(self, connection: Connection, payload: bytes, now: int) -> None:
        at = payload.find(frames.MARK)
        if at >= 0:
            due = frames.due(payload, at)
            if due in connection.due:
                self.doubled += 1
            else:
                connection.due.add(due)
                connection.got += 1
                self.got[connection.room] += 1
                self.latencies.append(now - due)
        elif connection.state == "joining" and self.target.ready.encode() in payload:
            self._opened(connection)
        elif answer := self.target.pings.get(payload.decode(errors="replace")):
            self._write(connection, answer.encode())

    def _request(self, connection: Connection) -> None:
        error = connection.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if error:
            raise LoadError(f"no connection: {os.strerror(error)}")
        self.selector.modify(connection.sock, selectors.EVENT_READ, connection)
        connection.state = "handshake"
        lines = [
            f"GET {self.target.path} HTTP/1.1",
            f"Host: {HOST}:{self.target.port}",
            f"Origin: http://{HOST}:{self.target.port}",
            "Connection: Upgrade",
            "Upgrade: websocket",
            "Sec-WebSocket-Version: 13",
            f"Sec-WebSocket-Key: {frames.KEY}",
            *self.target.headers,
        ]
        request = self._fill("\r\n".join(lines), connection) + "\r\n\r\n"
        connection.sock.send(request.encode())

    def _opened(self, connection: Connection) -> None:
        connection.state = "open"
        self.opening -= 1

    def _send(self, room: int, sender: int, due: int) -> None:
        """Send a message that is due at this time."""
        self.messages += 1
        self.sent[room] += 1
        if not self.bulk:
            self.sent_due[room].add(due)
        number = room + sender * self.rooms
        message = self.templates[number].replace("%text", frames.mark(due) + self.padding)
        cid = f"{self.messages:08x}-0000{self.cid}"
        self._write(self.connections[number], message.replace("%cid", cid).encode())

    def _write(self, connection: Connection, payload: bytes, opcode: int = frames.TEXT) -> None:
        connection.unsent += frames.frame(payload, opcode)
        self._flush(connection)

    def _flush(self, connection: Connection) -> None:
        self.blocked.discard(connection)
        if connection.shut:
            return
        try:
            sent = connection.sock.send(connection.unsent)
        except BlockingIOError:
            sent = 0
        except OSError:
            self._close(connection)
            return
        connection.unsent = connection.unsent[sent:]
        if connection.unsent:
            self.blocked.add(connection)

    def _close(self, connection: Connection) -> None:
        if connection.state not in ("open", "new"):
            raise LoadError("the server closed a connection during the handshake")
        if not connection.shut:
            connection.shut = True
            self.selector.unregister(connection.sock)
            connection.sock.close()

    def _fill(self, template: str, connection: Connection) -> str:
        cookie, _, conv = self._value(connection.number).partition("\t")
        for name, value in ("cookie", cookie), ("conv", conv), ("room", str(connection.room)):
            template = template.replace(f"%{name}", value)
        return template.replace("%port", str(self.target.port))

    def _value(self, number: int) -> str:
        return self.target.values[number] if self.target.values else ""

    def _cpu(self) -> float:
        times = self.server.cpu_times()
        return float(times.user + times.system)

    def _rss(self) -> float:
        return float(self.server.memory_info().rss)


def quantiles(microseconds: list[int]) -> dict[str, float]:
    """Return the median and the 99th percentile of some durations, in milliseconds."""
    ordered = sorted(microseconds)
    return {
        f"p{percent}_ms": ordered[percent * (len(ordered) - 1) // 100] / 1000
        for percent in (50, 99)
        if ordered
    }


class _Window:
    """The time in which is measured: what has happened in it."""

    def __init__(self, load: Load) -> None:
        self.load = load
        self.before = self._now()

    def _now(self) -> tuple[float, ...]:
        load = self.load
        return (
            time.perf_counter(),
            load._cpu(),
            time.process_time(),
            sum(load.sent),
            sum(load.got),
            load.reads,
        )

    def close(self) -> dict[str, float]:
        """Return the figures since the window was opened."""
        after = self._now()
        seconds, cpu, own, sent, got, reads = (
            now - then for now, then in zip(after, self.before, strict=True)
        )
        return {
            "seconds": seconds,
            "sent": sent,
            "deliveries": got,
            "per_s": got / seconds,
            "cpu_us": cpu / got * 1e6 if got else 0.0,
            "server_busy": cpu / seconds,
            "client_busy": own / seconds,
            "per_read": got / reads if reads else 0.0,
        }


STEPS = ("open", "storm", "hold", "saturate", "pace", "load", "history")


def take(order: dict[str, Any]) -> Iterable[dict[str, Any]]:
    """Take the steps of an order; yield the result of each."""
    steps = order.pop("steps")
    load = Load(Target(**order.pop("target")), **order)
    for step in steps:
        name = step.pop("step")
        if name not in STEPS:
            raise LoadError(f"there is no step {name!r}")
        yield {"step": name, **getattr(load, name)(**step)}


def order(
    target: Target, connections: int, rooms: int, steps: list[dict[str, Any]], **more: Any
) -> str:
    """Return what the client reads; `more` are further arguments of `Load`."""
    parts = {"target": dataclasses.asdict(target), "connections": connections, "rooms": rooms}
    return json.dumps(parts | {"steps": steps} | more)


def main() -> int:
    """Take the steps of the order on the standard input."""
    try:
        for result in take(json.load(sys.stdin)):
            print(json.dumps(result), flush=True)
    except (LoadError, psutil.NoSuchProcess) as error:
        print(json.dumps({"error": str(error)}), flush=True)
        return 1
    except KeyboardInterrupt:  # who started this has been told as well
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
