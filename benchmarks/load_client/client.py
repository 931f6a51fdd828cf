"""The steps of a load: open connections, hold them idle, send at a constant rate, saturate."""

import contextlib
import gc
import http.client
import random
import sys
import time
from typing import Any

import psutil  # type: ignore[import-untyped]

from benchmarks.load_client import frames
from benchmarks.load_client.connections import (
    HOST,
    OPEN_TIMEOUT,
    Connections,
    LoadError,
    Target,
)

SETTLE_TIME = 0.05
"""Seconds that a step waits for duplicates after all messages have been received."""
LATE_US = 1000
"""Microseconds after which a message counts as sent late: the client, not the server, caused its
latency."""
SATURATED_BELOW = 0.8
"""Share of the offered rate; a server that delivers less is saturated."""


class LoadClient:
    """Opens connections to one server and runs the steps of a load; each step returns its figures.

    Args:
        target: the server.
        connections: the number of connections.
        rooms: the number of rooms; connection i is in room i modulo `rooms`.
        size: the length of a message's text, in characters.
        seed: the seed of the random numbers; two clients of one server need different ones.
        drain: seconds without a delivery after which missing deliveries count as lost.
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
        self.connections = Connections(target, connections, rooms)
        self.drain = drain
        self.server = psutil.Process(target.pid)
        self.rooms = rooms
        self.members = [len(range(room, connections, rooms)) for room in range(rooms)]
        self.padding = ("benchmark " * (size // 10 + 1))[: max(0, size - frames.STAMP_SIZE)]
        self.rng = random.Random(seed)  # noqa: S311
        self.cid_end = f"-7000-8000-{self.rng.getrandbits(48):012x}"
        self.messages = 0
        self.sent = [0] * rooms
        """Number of messages sent to each room in this step."""
        self.scheduled: list[set[int]] = [set() for _ in range(rooms)]
        """Scheduled times of the messages to each room, in microseconds; empty if deliveries are
        only counted."""
        self.templates = [
            self.connections.render(target.message, each) for each in self.connections.all
        ]

    # Steps

    def open(self, parallel: int = 64) -> dict[str, float]:
        """Open all connections, with at most `parallel` handshakes in flight."""
        cpu, rss, begin = self.cpu_time(), self._rss(), time.perf_counter()
        self.connections.open(parallel)
        seconds = time.perf_counter() - begin
        count = len(self.connections)
        return {
            "seconds": seconds,
            "handshakes_per_s": count / seconds,
            "cpu_us_per_handshake": (self.cpu_time() - cpu) / count * 1e6,
            "kib_before": rss / 1024,
        }

    def reconnect_storm(self) -> dict[str, float]:
        """Break all connections at once and open them again at once (see "reconnect storm")."""
        cpu, begin = self.cpu_time(), time.perf_counter()
        self.connections.close()
        self.connections.open(len(self.connections))
        return {
            "seconds": time.perf_counter() - begin,
            "cpu_s": self.cpu_time() - cpu,
        }

    def idle(self, seconds: float) -> dict[str, float]:
        """Keep the connections open for `seconds` without messages; measure the server's memory."""
        begin, cpu = time.perf_counter(), self.cpu_time()
        while (left := begin + seconds - time.perf_counter()) > 0:
            self.connections.poll(left)
        return {
            "kib": self._rss() / 1024,
            "open": len(self.connections) - self.connections.closed,
            "server_busy": (self.cpu_time() - cpu) / seconds,
        }

    def silence(self, seconds: float, interval: float = 25.0) -> dict[str, float]:
        """Keep the connections open without messages but with pings; measure the server's CPU.

        Args:
            seconds: the duration.
            interval: seconds between two pings of a client. The clients take turns.
        """
        everyone, target = self.connections.all, self.connections.target
        begin, cpu, pings = time.perf_counter(), self.cpu_time(), 0
        while (passed := time.perf_counter() - begin) < seconds:
            while pings < passed / interval * len(everyone):
                connection = everyone[pings % len(everyone)]
                opcode = frames.TEXT if target.own_ping else frames.PING
                self.connections.send(connection, target.own_ping.encode(), opcode)
                pings += 1
            self.connections.poll(0.01)
        return {
            "core_percent": (self.cpu_time() - cpu) / passed * 100,
            "open": len(everyone) - self.connections.closed,
        }

    def saturate(
        self,
        seconds: float,
        windows: list[int],
        warmup: float = 0.2,
        longest: float = 30.0,
        **more: Any,
    ) -> dict[str, Any]:
        """Saturate the server once for each window; return the figures of each as `points`.

        With few messages in flight, a server that waits for its disk is partly idle; with many,
        other servers become slower. A window whose messages would take more than `longest` to be
        delivered, at the throughput of the one before, is left out: a slow disk needs minutes.

        Args:
            seconds: the duration of each measurement, without its end (see `_saturate`).
            windows: numbers of messages to keep in flight in each room, in ascending order.
            warmup: seconds of load before the first measurement.
            longest: seconds that the messages of a window may take.
            more: further arguments of `_saturate`.
        """
        self._saturate(warmup, windows[0], **more)
        points: list[dict[str, float]] = []
        for window in windows:
            if points and window * len(self.connections) > longest * points[-1]["per_s"]:
                break
            points.append(self._saturate(seconds, window, **more))
        return {"points": points}

    def _saturate(
        self, seconds: float, window: int, senders: int = 10, pause: float = 0.0002
    ) -> dict[str, float]:
        """Keep messages of each room in flight, and measure the throughput.

        Each room starts with `window` messages. For `seconds` a message that has been delivered is
        followed by the next one; the measurement ends when all have been delivered. It begins and
        ends with an empty server: otherwise the throughput of a server that first reads all its
        input and then sends would be measured far too low or far too high.

        Args:
            seconds: the time in which messages are sent.
            window: the number of messages in flight in each room.
            senders: the number of members of each room that send, in turn.
            pause: seconds between two polls. With a longer pause each read returns more data.
        """
        self._begin(count_only=True)
        connections = self.connections
        turn = [0] * self.rooms
        measurement = _Measurement(self)
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            for room, sent in enumerate(self.sent):
                members = self.members[room]
                received = connections.received[room]
                free = window - (sent * members - received + members - 1) // members
                for _ in range(free):
                    turn[room] = (turn[room] + 1) % min(senders, members)
                    self._send(room, turn[room], time.perf_counter_ns() // 1000)
            time.sleep(pause)
            connections.poll(0)
        self._drain(pause)
        return self._finish(measurement.finish()) | {"window": window}

    def constant_rate(
        self,
        rate: float,
        seconds: float,
        warmup: float = 0.3,
        senders: int = 10,
        exact: bool = True,
    ) -> dict[str, float]:
        """Send messages at a constant rate, to the rooms in turn, and measure the latency.

        A message carries its scheduled time, not the time at which it was sent: a server that
        delays the client would otherwise get shorter latencies (coordinated omission).

        Args:
            rate: messages per second, for all rooms together.
            seconds: the duration of the measurement.
            warmup: seconds before the measurement.
            senders: the number of members of each room that send, in turn.
            exact: whether to parse every frame and check each message on each connection, or to
                count markers only.
        """
        self._begin(count_only=not exact)
        step = 1e6 / rate
        begin = time.perf_counter_ns() // 1000
        measurement: _Measurement | None = None
        late = number = 0
        end = begin + (warmup + seconds) * 1e6
        while True:
            now = time.perf_counter_ns() // 1000
            if measurement is None and now >= begin + warmup * 1e6:
                measurement, late = _Measurement(self), 0
                self.connections.latencies.clear()
            if now >= end:
                break
            while (scheduled_at := begin + int(number * step)) <= now:
                late += now - scheduled_at > LATE_US
                room, round_ = number % self.rooms, number // self.rooms
                self._send(room, round_ % min(senders, self.members[room]), scheduled_at)
                number += 1
            # The timeout of a selector is in whole milliseconds, so the last one is a busy loop.
            self.connections.poll(max(0.0, (scheduled_at - now) / 1e6 - 0.001))
        assert measurement is not None
        return self._finish(measurement.finish()) | {"late": late / max(1, number)}

    def ramp(self, rates: list[float], seconds: float, warmup: float = 0.2) -> dict[str, Any]:
        """Send at one constant rate after the other until the server is saturated.

        Args:
            rates: messages per second for all rooms together, in ascending order.
            seconds: the duration of each measurement.
            warmup: seconds before each measurement.
        """
        points = []
        for rate in rates:
            point = self.constant_rate(rate, seconds, warmup, exact=False)
            members = len(self.connections) / self.rooms
            points.append(point | {"offered_per_s": rate * members})
            if point["per_s"] < SATURATED_BELOW * rate * members:
                break
        return {"points": points}

    def history(self, messages: int, requests: int = 100) -> dict[str, float]:
        """Measure requests for pages of a conversation's history: the newest page, random pages.

        Args:
            messages: the number of messages in the conversation.
            requests: the number of requests of each kind.

        Raises:
            LoadError: the chat answered with another status than 200.
        """
        cookie, conv = self.connections.credentials(0)
        figures: dict[str, float] = {}
        port = self.connections.target.port
        server = http.client.HTTPConnection(HOST, port, timeout=OPEN_TIMEOUT)
        with contextlib.closing(server):
            for name, befores in (
                ("newest", [""] * requests),
                ("older", [f"?before={self.rng.randint(2, messages)}" for _ in range(requests)]),
            ):
                latencies = []
                for before in befores:
                    begin = time.perf_counter_ns()
                    path = f"/api/conversations/{conv}/events{before}"
                    server.request("GET", path, headers={"Cookie": cookie})
                    response = server.getresponse()
                    body = response.read()
                    latencies.append((time.perf_counter_ns() - begin) // 1000)
                    if response.status != 200:
                        raise LoadError(f"{path} was answered with {response.status}: {body!r}")
                figures |= {f"{name}_{key}": ms for key, ms in quantiles(latencies).items()}
        return figures

    # Parts of steps

    def _begin(self, *, count_only: bool) -> None:
        """Reset all counters, and switch the garbage collector off for the measurement."""
        self.connections.reset_counters(count_only=count_only)
        self.sent = [0] * self.rooms
        self.scheduled = [set() for _ in range(self.rooms)]
        gc.collect()
        gc.disable()

    def _finish(self, figures: dict[str, float]) -> dict[str, float]:
        """Wait for messages in flight; add latencies, lost and duplicated deliveries to figures."""
        connections = self.connections
        self._drain()
        settled = time.perf_counter() + SETTLE_TIME
        while time.perf_counter() < settled:
            connections.poll(0.02)
        gc.enable()
        latencies, connections.latencies = connections.latencies, []
        lost, duplicated = 0, connections.duplicated
        for connection in connections.all:
            if connections.count_only:
                lost += max(0, self.sent[connection.room] - connection.received)
                duplicated += max(0, connection.received - self.sent[connection.room])
            else:
                scheduled = self.scheduled[connection.room]
                lost += len(scheduled - connection.seen)
                duplicated += len(connection.seen - scheduled)  # messages of another room
        connections.count_only = False
        return (
            figures
            | quantiles(latencies)
            | {
                "sent_all": sum(self.sent),
                "lost": lost,
                "duplicated": duplicated,
                "closed": connections.closed,
            }
        )

    def _drain(self, pause: float = 0.0) -> None:
        """Receive until all messages are delivered, or `drain` seconds pass without a delivery."""
        want = sum(sent * members for sent, members in zip(self.sent, self.members, strict=True))
        last, at = -1, time.perf_counter()
        while (received := sum(self.connections.received)) < want:
            if received != last:
                last, at = received, time.perf_counter()
            if time.perf_counter() > at + self.drain:
                break
            time.sleep(pause)
            self.connections.poll(0.02)

    def _send(self, room: int, sender: int, scheduled_at: int) -> None:
        """Send a message from a member of a room, with its scheduled time in microseconds."""
        self.messages += 1
        self.sent[room] += 1
        if not self.connections.count_only:
            self.scheduled[room].add(scheduled_at)
        number = room + sender * self.rooms
        text = frames.marker(scheduled_at) + self.padding
        cid = f"{self.messages:08x}-0000{self.cid_end}"
        message = self.templates[number].replace("%text", text).replace("%cid", cid)
        self.connections.send(self.connections.all[number], message.encode())

    def cpu_time(self) -> float:
        """Return the CPU time that the server has used, in seconds."""
        if sys.platform == "linux":
            # The clock of clock_getcpuclockid(3): in nanoseconds, where /proc has ticks of 10 ms.
            return time.clock_gettime(~self.server.pid << 3 | 2)
        times = self.server.cpu_times()
        return float(times.user + times.system)

    def _rss(self) -> float:
        return float(self.server.memory_info().rss)


def quantiles(microseconds: list[int]) -> dict[str, float]:
    """Return the median and the 99th percentile of durations, in milliseconds."""
    ordered = sorted(microseconds)
    return {
        f"p{percent}_ms": ordered[percent * (len(ordered) - 1) // 100] / 1000
        for percent in (50, 99)
        if ordered
    }


class _Measurement:
    """The measured part of a step, which starts after the warm-up."""

    def __init__(self, client: LoadClient) -> None:
        self.client = client
        self.before = self._now()

    def _now(self) -> tuple[float, ...]:
        client = self.client
        return (
            time.perf_counter(),
            client.cpu_time(),
            time.process_time(),
            sum(client.sent),
            sum(client.connections.received),
            client.connections.reads,
        )

    def finish(self) -> dict[str, float]:
        """Return the figures since the start of the measurement."""
        after = self._now()
        seconds, cpu, own, sent, received, reads = (
            now - then for now, then in zip(after, self.before, strict=True)
        )
        return {
            "seconds": seconds,
            "sent": sent,
            "deliveries": received,
            "per_s": received / seconds,
            "cpu_us": cpu / received * 1e6 if received else 0.0,
            "server_busy": cpu / seconds,
            "client_busy": own / seconds,
            "per_read": received / reads if reads else 0.0,
        }
