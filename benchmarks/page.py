"""What the chat's page costs a browser: to load, to open a long history, while messages pour in.

    python -m benchmarks.page
    python -m benchmarks.page --messages=1000000 --rate=100 --seconds=10

A real Chromium without a window, and the chat in a process of its own, on this machine. Layout
shifts are counted outside the log only: in it, what is above a new message goes up for it.
"""

import argparse
import asyncio
import contextlib
import json
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import tornado.httpclient
import tornado.websocket
from playwright.sync_api import Browser, CDPSession, Page, sync_playwright

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chromium-headless-shell")
ROOT = Path(__file__).resolve().parents[1]

LOADED = """() => {
    const entries = performance.getEntriesByType("navigation")
        .concat(performance.getEntriesByType("resource"));
    const paint = performance.getEntriesByName("first-contentful-paint")[0];
    return {
        "first contentful paint, ms": paint.startTime,
        "requests": entries.filter(entry => entry.transferSize).length,
        "kB over the wire": entries.reduce((sum, e) => sum + e.transferSize, 0) / 1000,
    };
}"""
"""Of a page that has been loaded."""

WATCH = """() => {
    const log = document.getElementById("log");
    const seen = window.seen = {frames: [], tasks: [], shifts: 0, nodes: 0, rows: 0};
    new PerformanceObserver(list => {
        for (const {duration} of list.getEntries()) seen.tasks.push(duration);
    }).observe({type: "longtask"});
    new PerformanceObserver(list => {
        for (const {sources} of list.getEntries())
            for (const {node} of sources)
                if (node?.isConnected && !log.contains(node)) seen.shifts++;
    }).observe({type: "layout-shift"});
    let before = performance.now();
    (function frame(now) {
        if (now > before) seen.frames.push(now - before);
        before = now;
        seen.nodes = Math.max(seen.nodes, document.getElementsByTagName("*").length);
        seen.rows = Math.max(seen.rows, log.querySelectorAll("[data-seq]").length);
        requestAnimationFrame(frame);
    })(before);
}"""
"""Look at every frame from here on."""

ORDER = """() => Array.from(
    document.querySelectorAll("#log [data-seq]"), row => Number(row.dataset.seq))"""


@contextlib.contextmanager
def serving(messages: int) -> Iterator[tuple[str, list[str], int]]:
    """Serve a chat with a group of two; yield its address, their cookies, and the group's id."""
    with tempfile.TemporaryDirectory() as folder:
        values = Path(folder) / "values"
        command = [sys.executable, "-m", "benchmarks.serve", "--rooms=1", "--members=2", "--port=0"]
        command += [f"--values={values}", f"--messages={messages}"]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, encoding="utf-8", cwd=ROOT)
        try:
            assert process.stdout is not None
            address = next(line.split()[-1] for line in process.stdout if "http://" in line)
            lines = [line.split("\t") for line in values.read_text(encoding="utf-8").splitlines()]
            yield address, [cookie for cookie, _ in lines], int(lines[0][1])
        finally:
            process.terminate()
            process.communicate()


async def pour(address: str, cookie: str, conv: int, rate: float, count: int) -> None:
    """Write messages at an even pace, and return when all are acknowledged."""
    url = address.replace("http", "ws", 1) + "/ws"
    headers = {"Cookie": cookie, "Origin": address}
    socket = await tornado.websocket.websocket_connect(
        tornado.httpclient.HTTPRequest(url, headers=headers)
    )

    async def write() -> None:
        began = time.perf_counter()
        for number in range(count):
            await asyncio.sleep(began + number / rate - time.perf_counter())
            frame = {"type": "send", "cid": str(uuid.uuid4()), "conv": conv}
            await socket.write_message(
                json.dumps(frame | {"text": f"news {number}: " + "words " * 8})
            )

    writing = asyncio.create_task(write())
    waiting = count
    while waiting:
        message = await socket.read_message()
        if message is None:
            raise SystemExit("The chat has closed the writer's socket.")
        waiting -= json.loads(message)["type"] == "ack"
    await writing
    socket.close()


def new_page(browser: Browser, address: str, cookie: str) -> Page:
    """Return a page of a fresh profile, logged in."""
    context = browser.new_context(base_url=address, viewport={"width": 1280, "height": 800})
    name, _, value = cookie.partition("=")
    context.add_cookies([{"name": name, "value": value, "url": address}])
    return context.new_page()


def load(page: Page) -> dict[str, float]:
    """Load the chat and return what it cost until it can be used."""
    began = time.perf_counter()
    page.goto("/")
    page.wait_for_selector("body[data-connection=open] #lists[aria-busy=false]")
    usable = (time.perf_counter() - began) * 1000
    figures: dict[str, float] = page.evaluate(LOADED)
    return {"list and socket ready, ms": usable} | figures


def open_history(page: Page) -> dict[str, float]:
    """Open the group from the list, and go up by one page."""
    began = time.perf_counter()
    page.get_by_role("navigation").get_by_role("link").first.click()
    page.wait_for_selector("#log[aria-busy=false]")
    opened = time.perf_counter()
    figures = {"a conversation opened, ms": (opened - began) * 1000}
    rows = page.locator("#log [data-seq]")
    if rows.count() and (first := rows.first.get_attribute("data-seq")) != "1":
        page.locator("#log").evaluate("log => log.scrollTo(0, 0)")
        page.wait_for_function(
            "first => document.querySelector('#log [data-seq]').dataset.seq !== first", arg=first
        )
        figures["an older page shown, ms"] = (time.perf_counter() - opened) * 1000
        page.locator("#latest").click()
    return figures


def thread_time(devtools: CDPSession) -> float:
    """Return the seconds of CPU that the page's thread has used, however busy the machine is."""
    metrics = devtools.send("Performance.getMetrics")["metrics"]
    return float(next(each["value"] for each in metrics if each["name"] == "ThreadTime"))


def watch(page: Page, address: str, cookie: str, conv: int, given: Any) -> dict[str, float]:
    """Return what a page shows and costs while messages pour into the open conversation."""
    count = int(given.rate * given.seconds)
    devtools = page.context.new_cdp_session(page)
    devtools.send("Performance.enable")
    before = thread_time(devtools)
    page.evaluate(WATCH)
    writer = threading.Thread(
        target=lambda: asyncio.run(pour(address, cookie, conv, given.rate, count))
    )
    writer.start()
    last = page.locator("#log .text", has_text=f"news {count - 1}:")
    last.wait_for(timeout=(given.seconds + 30) * 1000)
    writer.join()
    seen = page.evaluate("seen")
    seqs = page.evaluate(ORDER)
    if seqs != list(range(seqs[0], seqs[0] + len(seqs))):
        raise SystemExit("The page shows the messages in a wrong order.")
    frames, tasks = sorted(seen["frames"]), seen["tasks"]
    busy = 100_000 * (thread_time(devtools) - before) / sum(frames)
    return {
        "CPU of the page's thread, %": busy,
        "frames a second": 1000 * len(frames) / sum(frames),
        "a frame, 99th percentile, ms": frames[len(frames) * 99 // 100],
        "the longest frame, ms": frames[-1],
        "tasks over 50 ms": len(tasks),
        "the longest of them, ms": max(tasks, default=0),
        "layout shifts": seen["shifts"],
        "most elements in the page": seen["nodes"],
        "most rows of messages": seen["rows"],
    }


def show(title: str, figures: dict[str, float]) -> None:
    """Print a block of figures."""
    print(f"\n{title}")
    for name, value in figures.items():
        print(f"  {name:32} {value:10.1f}" if value % 1 else f"  {name:32} {value:8.0f}")


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--messages", type=int, default=10_000, help="old ones (default 10000)")
    parser.add_argument("--rate", type=float, default=100, help="new ones a second (default 100)")
    parser.add_argument("--seconds", type=float, default=10, help="how long (default 10)")
    given = parser.parse_args()
    chromium = next(filter(None, map(shutil.which, BROWSERS)), None)
    if chromium is None:
        print(f"No Chromium: looked for {', '.join(BROWSERS)} on the PATH.", file=sys.stderr)
        return 2
    with (
        serving(given.messages) as (address, cookies, conv),
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        new_page(browser, address, cookies[1]).goto("/login")  # Chromium itself is warm
        page = new_page(browser, address, cookies[0])
        show("The first load", load(page))
        show("The second load", load(page))
        show(f"A history of {given.messages:,} messages", open_history(page))
        title = f"{given.rate:.0f} messages a second into the open conversation"
        show(f"{title}, {given.seconds:.0f} s", watch(page, address, cookies[1], conv, given))
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
