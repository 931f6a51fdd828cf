"""Connections of a load client: sockets, handshakes, frames, and counters of received messages.

This module does not use asyncio: a read through a selector takes half the CPU time, so one client
can load faster servers.
"""

import os
import selectors
import socket
import struct
import time
from dataclasses import dataclass, field

from benchmarks.load_client import frames

HOST = "127.0.0.1"
READ_SIZE = 1 << 16
OPEN_TIMEOUT = 60.0
"""Seconds for all connections to open, and for a request to be answered."""
SAMPLE_EVERY = 4
"""If markers are only counted, one of this many reads is sampled for a latency."""


class LoadError(Exception):
    """The server does not behave as a step requires; the message has the details."""


@dataclass(frozen=True)
class Target:
    """A server to load, and the client's side of its protocol.

    The texts have placeholders. In `path`, `headers`, `join` and `message`, `%room` is
    the number of the connection's room; `%cookie` and `%conv` are the two parts of line i of
    `credentials` for connection i. In `headers`, `%port` is the port. In `message`, `%cid` is a new
    UUID and `%text` the text.
    """

    port: int
    pid: int
    path: str = "/%room"
    headers: list[str] = field(default_factory=list)
    join: str = ""
    """A frame to send after the handshake."""
    ready: str = ""
    """A part of the frame after which the connection counts as open; "" for the handshake."""
    message: str = "%text"
    pings: dict[str, str] = field(default_factory=dict)
    """The answers to text frames that the server sends as pings."""
    own_ping: str = ""
    """A text frame with which the client asks whether the server answers; "" for a ping frame."""
    credentials: list[str] = field(default_factory=list)
    """A line for each connection: the value of the Cookie header, a tab, a conversation's id."""


class Connection:
    """A connection and its counters of received messages."""

    __slots__ = (
        "carry",
        "closed",
        "number",
        "reader",
        "received",
        "room",
        "seen",
        "sock",
        "state",
        "unsent",
    )

    sock: socket.socket
    carry: bytes | bytearray
    """The last bytes that were read, needed for the next read: see `frames.MarkerCounter`."""

    def __init__(self, number: int, room: int) -> None:
        self.number = number
        self.room = room
        self.state = "new"
        self.closed = False
        self.received = 0
        self.seen: set[int] = set()
        """Scheduled times of received messages. They are unique, so they identify the messages."""
        self.unsent = b""
        self.reader = frames.FrameReader()


class Connections:
    """All connections to one server, and the counters of received messages.

    Connection i belongs to room i modulo the number of rooms.

    Args:
        target: the server.
        count: number of connections.
        rooms: number of rooms.
    """

    def __init__(self, target: Target, count: int, rooms: int) -> None:
        self.target = target
        self.all = [Connection(i, i % rooms) for i in range(count)]
        self.received = [0] * rooms
        """Number of deliveries in each room."""
        self.duplicated = 0
        self.latencies: list[int] = []
        """Microseconds from the scheduled time of a message to its arrival."""
        self.reads = 0
        self.count_only = False
        """Whether reads only count markers; otherwise every frame is parsed."""
        self._counter = frames.MarkerCounter()
        self._selector = selectors.DefaultSelector()
        self._opening = 0
        self._blocked: set[Connection] = set()

    def __len__(self) -> int:
        return len(self.all)

    @property
    def closed(self) -> int:
        """The number of closed connections."""
        return sum(connection.closed for connection in self.all)

    def open(self, parallel: int) -> None:
        """Open all connections, with at most `parallel` handshakes in flight.

        Raises:
            LoadError: not all are open within OPEN_TIMEOUT, or the server refuses one.
        """
        begin, started = time.perf_counter(), 0
        self._opening = 0
        left = list(reversed(self.all))
        while left or self._opening:
            while left and self._opening < parallel:
                self._connect(left.pop())
                started += 1
            self.poll(0.05)
            if time.perf_counter() > begin + OPEN_TIMEOUT:
                opened = started - self._opening
                raise LoadError(f"{opened} connections opened in {OPEN_TIMEOUT:.0f} s")

    def close(self) -> None:
        """Close all connections without a close frame."""
        for connection in self.all:
            self._close(connection)

    def reset_counters(self, *, count_only: bool) -> None:
        """Set all counters to 0. No message may be in flight: each stream is between two frames."""
        self.count_only = count_only
        self.received = [0] * len(self.received)
        self.duplicated = 0
        self.latencies.clear()
        for connection in self.all:
            connection.received = 0
            connection.seen.clear()
            connection.carry = bytes(frames.MarkerCounter.OVERLAP)

    def poll(self, timeout: float) -> None:
        """Wait up to `timeout` seconds for readable connections; read them and flush writes."""
        read = self._count if self.count_only else self._parse
        for connection in list(self._blocked):
            self._flush(connection)
        for key, _ in self._selector.select(timeout):
            read(key.data)

    def send(self, connection: Connection, payload: bytes, opcode: int = frames.TEXT) -> None:
        """Send a frame; bytes that the kernel does not accept now are sent by a later `poll`."""
        connection.unsent += frames.client_frame(payload, opcode)
        self._flush(connection)

    def credentials(self, number: int) -> tuple[str, str]:
        """Return the Cookie header and the conversation of a connection; "" without credentials."""
        lines = self.target.credentials
        cookie, _, conv = lines[number].partition("\t") if lines else ("", "", "")
        return cookie, conv

    def render(self, template: str, connection: Connection) -> str:
        """Replace the placeholders whose values are constant for a connection."""
        cookie, conv = self.credentials(connection.number)
        for name, value in ("cookie", cookie), ("conv", conv), ("room", str(connection.room)):
            template = template.replace(f"%{name}", value)
        return template.replace("%port", str(self.target.port))

    def _connect(self, connection: Connection) -> None:
        connection.sock = sock = socket.socket()
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # SO_LINGER 0 ends a connection with a reset. A normal close would leave tens of thousands
        # of ports in TIME_WAIT.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.state = "connecting"
        connection.closed = False
        connection.carry = b""
        connection.unsent = b""
        connection.reader = frames.FrameReader()
        self._opening += 1
        sock.connect_ex((HOST, self.target.port))
        self._selector.register(sock, selectors.EVENT_WRITE, connection)

    def _count(self, connection: Connection) -> None:
        """Read from a connection and count the markers, without parsing frames."""
        try:
            size = connection.sock.recv_into(self._counter.view)
        except BlockingIOError:
            return
        except OSError:
            size = 0
        if not size:
            self._close(connection)
            return
        found, connection.carry = self._counter.count(connection.carry, size)
        connection.received += found
        self.received[connection.room] += found
        self.reads += 1
        if self.reads % SAMPLE_EVERY == 0:
            scheduled_at = self._counter.first_time(size)
            if scheduled_at is not None:
                self.latencies.append(time.perf_counter_ns() // 1000 - scheduled_at)

    def _parse(self, connection: Connection) -> None:
        """Continue a handshake, or read and parse frames."""
        if connection.state == "connecting":
            self._request(connection)
            return
        try:
            data = connection.sock.recv(READ_SIZE)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._close(connection)
            return
        if connection.state == "handshake":
            head, end, data = (bytes(connection.carry) + data).partition(b"\r\n\r\n")
            if not end:
                connection.carry = head
                return
            if not head.startswith(b"HTTP/1.1 101") or frames.ACCEPT not in head:
                raise LoadError(f"the handshake was answered with {head.splitlines()[0]!r}")
            connection.state = "joining"
            if self.target.join:
                self.send(connection, self.render(self.target.join, connection).encode())
            if not self.target.ready:
                self._opened(connection)
        now = time.perf_counter_ns() // 1000
        for opcode, payload in connection.reader.feed(data):
            if opcode == frames.TEXT:
                self._receive(connection, payload, now)
            elif opcode == frames.PING:
                self.send(connection, payload, frames.PONG)
            elif opcode == frames.CLOSE:
                self._close(connection)
                return

    def _receive(self, connection: Connection, payload: bytes, now: int) -> None:
        """Record a delivery, or handle a frame of the server's protocol."""
        offset = payload.find(frames.MARKER)
        if offset >= 0:
            scheduled_at = frames.read_time(payload, offset)
            if scheduled_at in connection.seen:
                self.duplicated += 1
            else:
                connection.seen.add(scheduled_at)
                connection.received += 1
                self.received[connection.room] += 1
                self.latencies.append(now - scheduled_at)
        elif connection.state == "joining" and self.target.ready.encode() in payload:
            self._opened(connection)
        elif answer := self.target.pings.get(payload.decode(errors="replace")):
            self.send(connection, answer.encode())

    def _request(self, connection: Connection) -> None:
        """Send the HTTP request of the handshake (RFC 6455, 4.1)."""
        error = connection.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if error:
            raise LoadError(f"no connection: {os.strerror(error)}")
        self._selector.modify(connection.sock, selectors.EVENT_READ, connection)
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
        request = self.render("\r\n".join(lines), connection) + "\r\n\r\n"
        connection.sock.send(request.encode())

    def _opened(self, connection: Connection) -> None:
        connection.state = "open"
        self._opening -= 1

    def _flush(self, connection: Connection) -> None:
        self._blocked.discard(connection)
        if connection.closed:
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
            self._blocked.add(connection)

    def _close(self, connection: Connection) -> None:
        if connection.state not in ("open", "new"):
            raise LoadError("the server closed a connection during the handshake")
        if not connection.closed:
            connection.closed = True
            self._selector.unregister(connection.sock)
            connection.sock.close()
