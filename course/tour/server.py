"""Start the tour: its parts, its port, and the address that opens it."""

import asyncio
import contextlib
import ipaddress
import os
import signal
import socket
import sys
import threading
import webbrowser
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import tornado.httpserver
import tornado.netutil
import tornado.web

from course.catalog import Catalog
from course.ports import free_port
from course.progress import Progress
from course.tour import handlers, text
from course.tour.access import Access
from course.tour.commands import PageCommands
from course.tour.exercise_checks import Checks
from course.tour.runs import Supervisor
from course.tour.stream import StreamHandler
from course.tour.visits import Visits
from course.translation import translate

STATIC = Path(__file__).parent / "static"
DEFAULT_PORT = 8880
"""The port of the tour, unless another program uses it. The pages use 8888 for the scripts."""
THREADS = 16
"""Number of commands, checks and reads of files that go on at the same time."""
TEXT_BROWSERS = {"www-browser", "links", "elinks", "lynx", "w3m"}
MAX_BODY = 2 * 1024 * 1024
"""Bytes of a request to the tour: a file of the editor, with room for its escapes in JSON."""

T = TypeVar("T")


class PortTakenError(Exception):
    """The wanted port cannot be used; the message says why."""


class Tour:
    """The parts of a running tour, for its handlers.

    Args:
        catalog: the course.
        progress: the learner's progress.
        access: who may use the tour.
        supervisor: the scripts that run.
    """

    def __init__(
        self, catalog: Catalog, progress: Progress, access: Access, supervisor: Supervisor
    ) -> None:
        self.catalog = catalog
        self.progress = progress
        self.access = access
        self.supervisor = supervisor
        self.visits = Visits(progress.path.with_name(".tour.json"))
        self.executor = ThreadPoolExecutor(THREADS, "tour")
        self.commands = PageCommands(catalog, supervisor, self.executor)
        self.sockets: set[StreamHandler] = set()
        self.checks = Checks(progress, self.executor, self.broadcast)

    def broadcast(self, **message: Any) -> None:
        """Send a message to all pages."""
        for handler in self.sockets:
            handler.send(**message)

    async def in_thread(self, function: Callable[..., T], *arguments: Any) -> T:
        """Call a function that reads or writes files, so that the event loop stays free."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self.executor, function, *arguments)

    def describe_course(self) -> dict[str, Any]:
        """Return all places of the course with their state, for the map and the list of steps."""
        records = self.progress.read()
        visited = self.visits.read()
        outline = text.outline(self.catalog)
        lessons = [
            {
                "number": each.lesson.number,
                "title": each.lesson.title,
                "steps": [
                    {
                        "address": place.address,
                        "title": place.title,
                        "visited": place.address in visited,
                    }
                    for chapter in each.chapters
                    for place in chapter.places
                    if not place.exercise
                ],
                "exercises": [
                    text.describe_exercise(exercise, records)
                    | {"address": f"/exercise/{exercise.label}"}
                    for exercise in each.lesson.exercises
                ],
            }
            for each in outline.lessons
        ]
        known = [address for address in visited if outline.has(address) and address != "/"]
        first = next((place.address for place in outline.course_places()), None)
        return {
            "lessons": lessons,
            "continue": known[-1] if known else first,
            "address_of_scripts": self.access.address_of_scripts,
            "runs": [run.summary() for run in self.supervisor.runs.values()],
        }

    async def close(self) -> None:
        """End all runs and all sockets."""
        await asyncio.gather(self.supervisor.close(), self.checks.close())
        for handler in [*self.sockets]:
            handler.close(1001, "the tour has ended")
        self.executor.shutdown(wait=False, cancel_futures=True)


def make_app(tour: Tour) -> tornado.web.Application:
    """Make the application of a tour."""
    routes: list[Any] = [
        (r"/api/token", handlers.TokenHandler),
        (r"/api/course", handlers.CourseHandler),
        (r"/api/visited", handlers.VisitedHandler),
        (r"/api/session/(.+)/(\d+)", handlers.SessionHandler),
        (r"/api/file/(.+)", handlers.FileHandler),
        (r"/api/copy/(.+)", handlers.CopyHandler),
        (r"/api/reset/(.+)", handlers.ResetHandler),
        (r"/api/check/(.+)", handlers.CheckHandler),
        (r"/api/hint/(.+)", handlers.HintHandler),
        (r"/api/solution/(.+)", handlers.SolutionHandler),
        (r"/api/request", handlers.RequestHandler),
        (r"/ws", StreamHandler),
        (r"/static/(.*)", handlers.StaticHandler, {"path": str(STATIC)}),
        (r"/api/.*", handlers.UnknownCallHandler),
        (r"(/.*)", handlers.PageHandler),
    ]
    return tornado.web.Application(
        routes,
        tour=tour,
        default_handler_class=handlers.NotFoundHandler,
        websocket_ping_interval=30,
        log_function=lambda handler: None,
    )


def bind(port: int | None) -> list[socket.socket]:
    """Listen on loopback only, on the wanted port, or on DEFAULT_PORT or any other.

    Raises:
        PortTakenError: the wanted port is in use, or localhost is not this computer.
    """
    for candidate in (DEFAULT_PORT, 0) if port is None else (port,):
        if candidate and free_port(candidate) != candidate:
            continue
        try:
            # All addresses of localhost: another user could listen on the one that is left out.
            sockets = tornado.netutil.bind_sockets(candidate, "localhost")
        except (OSError, OverflowError):
            continue
        addresses = [one.getsockname()[0] for one in sockets]
        if all(ipaddress.ip_address(address).is_loopback for address in addresses):
            return sockets
        for one in sockets:
            one.close()
        raise PortTakenError(translate("The name localhost stands for another computer here."))
    raise PortTakenError(
        translate("port {port} cannot be used: another program listens on it, perhaps", port=port)
    )


async def serve(
    catalog: Catalog,
    progress: Progress,
    *,
    start: str = "/",
    port: int | None = None,
    browser: bool = True,
    forwarded_host: str = "",
) -> None:
    """Run the tour until it is interrupted.

    Args:
        catalog: the course.
        progress: the learner's progress.
        start: the address of the page to open.
        port: the port; by default DEFAULT_PORT, or a free one if that is in use.
        browser: whether to open the page in a browser.
        forwarded_host: the name under which a proxy shows the tour, or "".

    Raises:
        PortTakenError: the port cannot be used.
    """
    sockets = bind(port)
    text.outline(catalog)  # now, because it would delay the answers beside the first page
    own_port = sockets[0].getsockname()[1]
    access = Access(own_port, forwarded_host)
    tour = Tour(catalog, progress, access, Supervisor())
    server = tornado.httpserver.HTTPServer(make_app(tour), max_body_size=MAX_BODY)
    server.add_sockets(sockets)
    base = f"https://{forwarded_host}" if forwarded_host else f"http://localhost:{own_port}"

    def new_address() -> str:
        return f"{base}{start}#code={access.new_code()}"

    address = new_address()
    print(translate("Open {address}", address=address))
    print(translate("It can be used once. Press Enter for a new one; Ctrl-C ends the tour."))
    sys.stdout.flush()
    if browser and has_browser():
        # Some browsers keep the call waiting, or write to the terminal.
        threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()
    _read_enter(lambda: print(translate("Open {address}", address=new_address()), flush=True))
    try:
        await _wait_for_end()
    finally:
        server.stop()
        await tour.close()
        await server.close_all_connections()


def has_browser() -> bool:
    """Return whether there is a browser that runs scripts and leaves the terminal alone."""
    try:
        found = webbrowser.get()
    except webbrowser.Error:
        return False
    return Path(getattr(found, "name", "")).name not in TEXT_BROWSERS


async def _wait_for_end() -> None:
    """Wait for SIGTERM, or for SIGHUP of a closed terminal; Ctrl-C cancels the wait."""
    ended = asyncio.Event()
    for name in ("SIGTERM", "SIGHUP"):
        with contextlib.suppress(NotImplementedError, AttributeError):  # Windows
            asyncio.get_running_loop().add_signal_handler(getattr(signal, name), ended.set)
    await ended.wait()


def _read_enter(pressed: Callable[[], None]) -> None:
    """Call a function in the event loop whenever the user presses Enter in the terminal."""
    loop = asyncio.get_running_loop()

    def read() -> None:
        # Not sys.stdin: its lock would be held while Python ends.
        with contextlib.suppress(OSError, RuntimeError):
            while os.read(0, 1024):
                loop.call_soon_threadsafe(pressed)

    if _in_foreground():
        threading.Thread(target=read, daemon=True).start()


def _in_foreground() -> bool:
    """Return whether reading from the terminal is allowed; it would stop a background process."""
    try:
        return not os.isatty(0) or os.tcgetpgrp(0) == os.getpgrp()
    except (AttributeError, OSError):  # Windows, or no terminal
        return sys.platform == "win32"


def open_tour(catalog: Catalog, progress: Progress, **options: Any) -> None:
    """Run the tour until Ctrl-C, with the options of `serve`."""
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve(catalog, progress, **options))
