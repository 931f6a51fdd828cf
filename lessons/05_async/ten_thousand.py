"""Many waits at the same time: as coroutines in one thread, and with a thread for each wait.

Run it:  python3 learn.py run 05/ten_thousand
"""

import asyncio
import contextlib
import os
import threading
import time
from pathlib import Path

import tornado.web
from tornado.options import define, options, parse_command_line

MOST = {"coroutines": 10_000, "threads": 1_000}  # the operating system limits the threads


def memory() -> int | None:
    """Return the memory of this process, in bytes; None on a system other than Linux."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except OSError:
        return None
    return pages * os.sysconf("SC_PAGE_SIZE")


async def with_coroutines(count: int) -> int | None:
    """Return the memory that the process has while so many coroutines wait."""
    end = asyncio.Event()
    tasks = [asyncio.create_task(end.wait()) for _ in range(count)]
    await asyncio.sleep(0)  # each task runs up to its wait
    used = memory()
    end.set()
    await asyncio.wait(tasks)
    return used


async def with_threads(count: int) -> int | None:
    """Return the memory that the process has while so many threads wait."""
    end = threading.Event()
    threads = [threading.Thread(target=end.wait) for _ in range(count)]
    try:
        for thread in threads:
            thread.start()
        return memory()
    finally:
        end.set()
        for thread in threads:
            if thread.ident:  # it was started
                thread.join()


class WaitsHandler(tornado.web.RequestHandler):
    async def get(self, way: str) -> None:
        count = self.get_query_argument("count", "1000")
        if not (count.isascii() and count.isdigit() and 0 < int(count[:9]) <= MOST[way]):
            raise tornado.web.HTTPError(400, reason=f"Between 1 and {MOST[way]} waits")
        measure = with_coroutines if way == "coroutines" else with_threads
        before, begun = memory(), time.perf_counter()
        used = await measure(int(count))
        answer: dict[str, object] = {"waits": int(count)}
        answer["seconds"] = round(time.perf_counter() - begun, 2)
        if used is not None and before is not None:
            answer["MiB"] = round((used - before) / 1024**2, 1)
        self.write(answer)


class HomeHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.write("Open /coroutines?count=10000 or /threads?count=1000")


def make_app() -> tornado.web.Application:
    """Each path waits ?count= times at once, and reports the seconds and the memory."""
    routes = [(r"/", HomeHandler), (r"/(coroutines|threads)", WaitsHandler)]
    return tornado.web.Application(routes)


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    make_app().listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
