"""Measure the chat's page in a browser: loading, opening a long history, many new messages.

    python -m benchmarks.single.page_performance
    python -m benchmarks.single.page_performance --messages=1000000 --rate=100 --seconds=10

The browser is a headless Chromium; the chat runs in a separate process. Layout shifts are counted
outside the message log only: in the log, every new message moves the older ones up.
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
ROOT = Path(__file__).resolve().parents[2]

LOAD_METRICS_JS = """() => {
    const entries = performance.getEntriesByType("navigation")
        .concat(performance.getEntriesByType("resource"));
    const paint = performance.getEntriesByName("first-contentful-paint")[0];
    return {
        "first contentful paint, ms": paint.startTime,
        "requests": entries.filter(entry => entry.transferSize).length,
        "kB over the wire": entries.reduce((sum, e) => sum + e.transferSize, 0) / 1000,
    };
}"""
"""JavaScript that returns the figures of a loaded page."""

OBSERVER_JS = """() => {
    const log = document.getElementById("log");
    const observed = window.observed = {frames: [], tasks: [], shifts: 0, nodes: 0, rows: 0};
    new PerformanceObserver(list => {
        for (const {duration} of list.getEntries()) observed.tasks.push(duration);
    }).observe({type: "longtask"});
    new PerformanceObserver(list => {
        for (const {sources} of list.getEntries())
            for (const {node} of sources)
                if (node?.isConnected && !log.contains(node)) observed.shifts++;
    }).observe({type: "layout-shift"});
    let before = performance.now();
    (function frame(now) {
        if (now > before) observed.frames.push(now - before);
        before = now;
        observed.nodes = Math.max(observed.nodes, document.getElementsByTagName("*").length);
        observed.rows = Math.max(observed.rows, log.querySelectorAll("[data-seq]").length);
        requestAnimationFrame(frame);
    })(before);
}"""
"""JavaScript that records all further animation frames in `window.observed`."""

SEQS_JS = """() => Array.from(
    document.querySelectorAll("#log [data-seq]"), row => Number(row.dataset.seq))"""


@contextlib.contextmanager
def run_chat(messages: int) -> Iterator[tuple[str, list[str], int]]:
    """Run a chat with a group of two users; yield its address, the cookies and the group's id."""
    with tempfile.TemporaryDirectory() as folder:
        credentials = Path(folder) / "credentials"
        command = [sys.executable, "-m", "benchmarks.serve", "--rooms=1", "--members=2", "--port=0"]
        command += [f"--values={credentials}", f"--messages={messages}"]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, encoding="utf-8", cwd=ROOT)
        try:
            assert process.stdout is not None
            address = next(line.split()[-1] for line in process.stdout if "http://" in line)
            text = credentials.read_text(encoding="utf-8")
            lines = [line.split("\t") for line in text.splitlines()]
            yield address, [cookie for cookie, _ in lines], int(lines[0][1])
        finally:
            process.terminate()
            process.communicate()


async def send_at_rate(address: str, cookie: str, conv: int, rate: float, count: int) -> None:
    """Send messages at a constant rate (per second); return when all are acknowledged."""
    url = address.replace("http", "ws", 1) + "/ws"
    headers = {"Cookie": cookie, "Origin": address}
    socket = await tornado.websocket.websocket_connect(
        tornado.httpclient.HTTPRequest(url, headers=headers)
    )

    async def send() -> None:
        begin = time.perf_counter()
        for number in range(count):
            await asyncio.sleep(begin + number / rate - time.perf_counter())
            frame = {"type": "send", "cid": str(uuid.uuid4()), "conv": conv}
            await socket.write_message(
                json.dumps(frame | {"text": f"news {number}: " + "words " * 8})
            )

    sending = asyncio.create_task(send())
    pending = count
    while pending:
        message = await socket.read_message()
        if message is None:
            raise SystemExit("The chat has closed the sender's connection.")
        pending -= json.loads(message)["type"] == "ack"
    await sending
    socket.close()


def new_page(browser: Browser, address: str, cookie: str) -> Page:
    """Return a page in a new browser context that has the cookie of a session."""
    context = browser.new_context(base_url=address, viewport={"width": 1280, "height": 800})
    name, _, value = cookie.partition("=")
    context.add_cookies([{"name": name, "value": value, "url": address}])
    return context.new_page()


def measure_load(page: Page) -> dict[str, float]:
    """Load the page; return the time until it can be used, and the figures of loading."""
    begin = time.perf_counter()
    page.goto("/")
    page.wait_for_selector("body[data-connection=open] #lists[aria-busy=false]")
    usable = (time.perf_counter() - begin) * 1000
    figures: dict[str, float] = page.evaluate(LOAD_METRICS_JS)
    return {"list and socket ready, ms": usable} | figures


def measure_history(page: Page) -> dict[str, float]:
    """Open the group from the list and scroll up by one page of history; return both times."""
    begin = time.perf_counter()
    page.get_by_role("navigation").get_by_role("link").first.click()
    page.wait_for_selector("#log[aria-busy=false]")
    figures = {"a conversation opened, ms": (time.perf_counter() - begin) * 1000}
    # No member has read the history, so it opens at its first message; new ones come at its end.
    if page.locator("#latest").is_visible():
        page.locator("#latest").click()
        page.wait_for_selector("#latest", state="hidden")
    opened = time.perf_counter()
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
    """Return the CPU time that the page's main thread has used, in seconds."""
    metrics = devtools.send("Performance.getMetrics")["metrics"]
    return float(next(each["value"] for each in metrics if each["name"] == "ThreadTime"))


def measure_live(page: Page, address: str, cookie: str, conv: int, given: Any) -> dict[str, float]:
    """Return the figures of the page while the open conversation receives messages."""
    count = int(given.rate * given.seconds)
    devtools = page.context.new_cdp_session(page)
    devtools.send("Performance.enable")
    before = thread_time(devtools)
    page.evaluate(OBSERVER_JS)
    sender = threading.Thread(
        target=lambda: asyncio.run(send_at_rate(address, cookie, conv, given.rate, count))
    )
    sender.start()
    last = page.locator("#log .text", has_text=f"news {count - 1}:")
    last.wait_for(timeout=(given.seconds + 30) * 1000)
    sender.join()
    observed = page.evaluate("observed")
    seqs = page.evaluate(SEQS_JS)
    if seqs != list(range(seqs[0], seqs[0] + len(seqs))):
        raise SystemExit("The page shows the messages in a wrong order.")
    frames, tasks = sorted(observed["frames"]), observed["tasks"]
    busy = 100_000 * (thread_time(devtools) - before) / sum(frames)
    return {
        "CPU of the page's thread, %": busy,
        "frames a second": 1000 * len(frames) / sum(frames),
        "a frame, 95th percentile, ms": frames[len(frames) * 95 // 100],
        "a frame, 99th percentile, ms": frames[len(frames) * 99 // 100],
        "the longest frame, ms": frames[-1],
        "tasks over 50 ms": len(tasks),
        "the longest of them, ms": max(tasks, default=0),
        "layout shifts": observed["shifts"],
        "most elements in the page": observed["nodes"],
        "most rows of messages": observed["rows"],
    }


def print_figures(title: str, figures: dict[str, float]) -> None:
    """Print figures under a title."""
    print(f"\n{title}")
    for name, value in figures.items():
        print(f"  {name:32} {value:10.1f}" if value % 1 else f"  {name:32} {value:8.0f}")


def main() -> int:
    """Measure the page and print the figures; return the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument(
        "--messages", type=int, default=10_000, help="messages in the history (default 10000)"
    )
    parser.add_argument(
        "--rate", type=float, default=100, help="new messages a second (default 100)"
    )
    parser.add_argument("--seconds", type=float, default=10, help="how long (default 10)")
    given = parser.parse_args()
    chromium = next(filter(None, map(shutil.which, BROWSERS)), None)
    if chromium is None:
        print(f"No Chromium: looked for {', '.join(BROWSERS)} on the PATH.", file=sys.stderr)
        return 2
    with (
        run_chat(given.messages) as (address, cookies, conv),
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        new_page(browser, address, cookies[1]).goto("/login")  # warms up Chromium
        page = new_page(browser, address, cookies[0])
        print_figures("The first load", measure_load(page))
        print_figures("The second load", measure_load(page))
        print_figures(f"A history of {given.messages:,} messages", measure_history(page))
        title = f"{given.rate:.0f} messages a second into the open conversation"
        print_figures(
            f"{title}, {given.seconds:.0f} s", measure_live(page, address, cookies[1], conv, given)
        )
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
