"""Measures from outside how long the chat's event loop is held up."""

import asyncio
import http.client
import sys
import threading
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from fault_injection.harness.context import Context
from fault_injection.harness.processes import ROOT, Process

POLL_INTERVAL = 0.02
"""Seconds between two requests."""


class LatencyProbe:
    """Requests /healthz, which needs nothing but the loop, again and again from a thread."""

    def __init__(self, port: int) -> None:
        self.seconds: list[float] = []
        self.statuses: set[int] = set()
        self._port = port
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._poll, daemon=True)
        self._thread.start()

    @property
    def longest(self) -> float:
        """The milliseconds that the slowest answer took."""
        return max(self.seconds, default=0.0) * 1000

    async def stop(self) -> None:
        """Stop the requests."""
        self._stop.set()
        await asyncio.to_thread(self._thread.join)

    def _poll(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=10)
        while not self._stop.wait(POLL_INTERVAL):
            begin = time.perf_counter()
            try:
                connection.request("GET", "/healthz")
                response = connection.getresponse()
                response.read()
                self.statuses.add(response.status)
            except (OSError, http.client.HTTPException):
                self.statuses.add(0)
                connection.close()
            self.seconds.append(time.perf_counter() - begin)
        connection.close()


class BaselineServer(Process):
    """A bare Tornado server, to compare with: a busy machine slows down both."""

    def __init__(self, context: Context) -> None:
        super().__init__(context, "bare")
        self.port = 0

    async def start(self) -> "BaselineServer":
        """Start it and wait until it listens."""
        command = sys.executable, "-m", "fault_injection.harness.baseline_server"
        await self.spawn(*command, cwd=ROOT, stdout=asyncio.subprocess.PIPE)
        self.port = int(await self.read_line())
        return self


@asynccontextmanager
async def probe_latency(*ports: int) -> AsyncGenerator[list[LatencyProbe]]:
    """Probe the servers on these ports inside the block."""
    probes = [LatencyProbe(port) for port in ports]
    try:
        yield probes
    finally:
        for probe in probes:
            await probe.stop()
