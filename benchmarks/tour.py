"""Measure the tour of the course: python -m benchmarks.tour [--quick].

    start    seconds from the command to an answered page with its scripts and styles
    check    seconds from a save to the first failing case, beside those of `learn.py check`
    flood    latency and memory of the tour while a script prints 10 MB a second
    runs     memory of the tour over many runs of a script

The tour runs in a process of its own, with a copy of the lessons.
"""

import argparse
import asyncio
import contextlib
import json
import re
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]
from tornado.httpclient import AsyncHTTPClient, HTTPRequest
from tornado.websocket import WebSocketClientConnection, websocket_connect

from course.catalog import Catalog, Exercise
from course.checking.runner import run_check

ROOT = Path(__file__).resolve().parent.parent
FLOOD = '''"""Prints 10 MB a second."""
import time

print("Open http://localhost:8888", flush=True)
chunk = ("x" * 99 + "\\n") * 1000
due = time.monotonic()
while True:
    print(chunk, end="", flush=True)
    due += 0.01
    time.sleep(max(0, due - time.monotonic()))
'''
CHANGE = "\n# changed\n"
"""A change of a stub, so that a check counts it as a try."""
EDIT_SECONDS = 1.0
"""Seconds between the opening of an exercise and its first check; learners take longer."""


@dataclass(frozen=True)
class Row:
    """A figure with its unit, one line of the report."""

    label: str
    value: float
    unit: str

    def __str__(self) -> str:
        """Return the line of the figure."""
        return f"{self.label}: {self.value:.2f} {self.unit}".rstrip()


class Client:
    """A page of the tour: its token, its socket and its process."""

    def __init__(self, base: str, token: str, socket: WebSocketClientConnection, pid: int) -> None:
        self.base, self.socket = base, socket
        self.process = psutil.Process(pid)
        self._headers = {"Authorization": f"Bearer {token}"}

    async def call(
        self, path: str, body: Any = None, method: str = "", **headers: str
    ) -> dict[str, Any]:
        """Call the API; return the JSON of the answer."""
        request = HTTPRequest(
            self.base + path,
            method=method or ("GET" if body is None else "POST"),
            headers=self._headers | headers,
            body=None if body is None else json.dumps(body),
            allow_nonstandard_methods=True,
        )
        found: dict[str, Any] = json.loads((await AsyncHTTPClient().fetch(request)).body)
        return found

    async def send(self, **message: Any) -> None:
        """Send a message."""
        await self.socket.write_message(json.dumps(message))

    async def until(self, *kinds: str) -> dict[str, Any]:
        """Return the next message of one of these types."""
        while True:
            text = await self.socket.read_message()
            assert text is not None, "the tour has closed the socket"
            message: dict[str, Any] = json.loads(text)
            if message["type"] in kinds:
                return message

    @property
    def memory(self) -> float:
        """The memory of the tour's process, in megabytes."""
        return float(self.process.memory_info().rss) / 1e6


@contextlib.asynccontextmanager
async def tour(root: Path) -> AsyncIterator[Client]:
    """Start the tour of a course, and open a page."""
    command = [sys.executable, "-m", "course", f"--root={root}", "tour", "--port=0", "--no-browser"]
    process = await asyncio.create_subprocess_exec(
        *command, cwd=ROOT, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout
        line = (await process.stdout.readline()).decode()
        found = re.search(r"(http://\S+?)/#code=(\S+)", line)
        assert found, line
        base, code = found.groups()
        request = HTTPRequest(f"{base}/api/token", "POST", body=json.dumps({"code": code}))
        token = json.loads((await AsyncHTTPClient().fetch(request)).body)["token"]
        address = HTTPRequest(f"{base.replace('http', 'ws')}/ws", headers={"Origin": base})
        socket = await websocket_connect(address, subprotocols=["tour.1", f"token.{token}"])
        yield Client(base, token, socket, process.pid)
        socket.close()
    finally:
        process.terminate()
        await process.communicate()


def copy_course(folder: Path) -> Path:
    """Copy the lessons to a folder, so that nothing of the learner's is touched."""
    shutil.copytree(ROOT / "lessons", folder / "lessons", dirs_exist_ok=True)
    return folder


async def measure_start(root: Path) -> float:
    """Return the seconds from the command to an answered page with all that it loads."""
    began = time.monotonic()
    async with tour(root) as client:
        http = AsyncHTTPClient()
        page = (await http.fetch(f"{client.base}/01/1")).body.decode()
        links = re.findall(r'(?:src|href)="(/static/[^"]+)"', page)
        await asyncio.gather(*(http.fetch(client.base + link) for link in links))
        await client.call("/api/course")
        return time.monotonic() - began


async def measure_check(client: Client, exercise: Exercise) -> tuple[float, float]:
    """Return the seconds to the first failing case in the tour, and on the command line."""
    file = f"/api/file/exercise:{exercise.label}"
    state = await client.call(file)
    headers = {"If-Match": state["etag"]}
    await asyncio.sleep(EDIT_SECONDS)
    began = time.monotonic()
    await client.call(file, {"text": state["text"] + CHANGE}, "PUT", **headers)
    await client.call(f"/api/check/{exercise.label}", method="POST")
    first = await client.until("check.failure", "check.ended")
    in_tour = time.monotonic() - began
    if first["type"] == "check.failure":
        await client.until("check.ended")

    def on_command_line() -> float:
        times: list[float] = []
        began = time.monotonic()
        run_check(
            exercise.check,
            exercise.work_file,
            on_failure=lambda _: times.append(time.monotonic() - began),
        )
        return min([*times, time.monotonic() - began])

    return in_tour, await asyncio.to_thread(on_command_line)


async def measure_flood(client: Client, root: Path, seconds: float) -> dict[str, tuple[float, str]]:
    """Return the latency and the memory of the tour while a script prints 10 MB a second."""
    (root / "lessons" / "01_hello" / "flood.py").write_text(FLOOD, encoding="utf-8")
    latencies: list[float] = []
    received = dropped = 0
    await client.send(type="start", file="script:01/flood.py")
    run = (await client.until("started"))["run"]

    async def ask() -> None:
        while True:
            began = time.monotonic()
            await client.call("/api/course")
            latencies.append(time.monotonic() - began)
            await asyncio.sleep(0.05)

    asking = asyncio.create_task(ask())
    memory = client.memory
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        message = await client.until("output", "dropped")
        received += len(message.get("text", ""))
        dropped += message.get("bytes", 0)
        memory = max(memory, client.memory)
    asking.cancel()
    await client.send(type="stop", run=run)
    await client.until("ended")
    return {
        "printed": ((received + dropped) / seconds / 1e6, "MB/s"),
        "shown": (received / seconds / 1e6, "MB/s"),
        "median latency": (statistics.median(latencies) * 1000, "ms"),
        "maximal latency": (max(latencies) * 1000, "ms"),
        "memory": (memory, "MB"),
    }


async def measure_runs(client: Client, count: int) -> list[tuple[int, float]]:
    """Return the memory of the tour after a quarter of the runs, and after all of them."""
    found = []
    for number in range(1, count + 1):
        await client.send(type="start", file="script:01/app")
        run = (await client.until("ready"))["run"]
        await client.send(type="stop", run=run)
        await client.until("ended")
        if number in (count // 4, count):
            found.append((number, client.memory))
    return found


async def measure(root: Path, quick: bool) -> AsyncIterator[Row]:
    """Measure the tour of a course; yield each figure as soon as it is known."""
    starts = [await measure_start(root) for _ in range(1 if quick else 5)]
    yield Row(f"start, median of {len(starts)}", statistics.median(starts), "s")
    async with tour(root) as client:
        yield Row("memory at the start", client.memory, "MB")
        slow = 0
        for exercise in [*Catalog(root).exercises()][: 1 if quick else None]:
            in_tour, on_command_line = await measure_check(client, exercise)
            slow += in_tour > 1 >= on_command_line
            yield Row(f"check {exercise.label}", in_tour, "s")
            yield Row(f"check {exercise.label} on the command line", on_command_line, "s")
        yield Row("checks over 1 s in the tour only", slow, "")
        for label, (value, unit) in (await measure_flood(client, root, 1 if quick else 10)).items():
            yield Row(f"flood: {label}", value, unit)
        count = 4 if quick else 200
        for number, memory in await measure_runs(client, count):
            yield Row(f"memory after {number} runs", memory, "MB")


async def main(quick: bool) -> None:
    """Measure, and print a line for each figure."""
    with tempfile.TemporaryDirectory() as name:
        async for row in measure(copy_course(Path(name)), quick):
            print(row, flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="benchmarks.tour", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="each figure once, in some seconds")
    asyncio.run(main(parser.parse_args().quick))
