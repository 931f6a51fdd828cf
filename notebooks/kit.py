"""Start, requests, tables and plot style of the notebooks.

A notebook imports all names in `__all__`, calls `begin` with the name of its lesson, serves
applications with `serve`, and ends with `stop`. The servers run in the event loop of the notebook,
on free ports of this computer.
"""

import asyncio
import contextlib
import contextvars
import importlib
import inspect
import itertools
import logging
import os
import re
import signal
import socket
import sys
import tempfile
import textwrap
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import Awaitable, Callable, Iterable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import urlencode

import matplotlib.pyplot as plt
from IPython.display import Markdown
from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPRequest, HTTPResponse
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application, RequestHandler
from tornado.websocket import WebSocketClientConnection, websocket_connect

from course.processes import WAKE_INTERVAL, wake

__all__ = [
    *("BLUE", "GREEN", "GREY", "INK", "ORANGE", "PALE", "PURPLE", "RED", "ROOT", "SKY"),
    *("Browser", "ask", "begin", "bound", "check", "connect", "finish", "handshake_status"),
    *(
        "judge",
        "log",
        "plt",
        "read_address",
        "script",
        "serve",
        "show",
        "show_source",
        "stack",
        "start",
        "stop",
        "story",
    ),
    *("table", "temporary_folder", "text_of"),
]

ROOT = Path(__file__).resolve().parent.parent

# The colours of Okabe and Ito (https://jfly.uni-koeln.de/color/), which readers with a colour
# vision deficiency can tell apart.
BLUE, GREEN, RED = "#0072B2", "#009E73", "#D55E00"
ORANGE, SKY, PURPLE = "#B87A00", "#56B4E9", "#A0527D"
INK, GREY, PALE = "#1f2937", "#6b7280", "#e5e7eb"
"""Text, less important text, and backgrounds."""

REGION = re.compile(r"^[ \t]*(#|{#) (end)?region\b.*\n?", re.M)
"""A comment that begins or ends a part which the page of a lesson quotes."""

lesson = ""
"""The lesson of the notebook, such as 01_hello."""
servers: dict[str, HTTPServer] = {}
"""The servers that run, by address."""
sockets: list[WebSocketClientConnection] = []
"""The WebSockets that the notebook has opened."""
log: list[tuple[str, str, str]] = []
"""The log of all servers: logger, level, and the message or the name of the exception."""
story: list["Answered"] = []
"""The requests that servers with a name have answered, in the order of their ends."""
stack = contextlib.ExitStack()
"""Folders, connections and programs, which `stop` closes."""


class _LogList(logging.Handler):
    """Appends each record to `log`."""

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info and record.exc_info[0]
        text = error.__name__ if error else record.getMessage()
        log.append((record.name, record.levelname, text))


def begin(name: str) -> None:
    """Choose the lesson, and set the style of plots for a projector.

    Args:
        name: the folder of the lesson, such as 01_hello; "" for the chat.
    """
    global lesson
    lesson = name
    if name:
        sys.path.append(str(ROOT / "lessons" / name))  # some scripts import modules beside them
    logger = logging.getLogger("tornado")
    logger.handlers = [_LogList()]
    logger.propagate = False
    plt.rcParams.update(
        {
            "axes.spines.left": False,
            "axes.spines.right": False,
            "axes.spines.top": False,
            "axes.spines.bottom": False,
            "figure.dpi": 110,
            "font.size": 13,
            "axes.titlesize": 15,
            "axes.titleweight": "bold",
            "axes.titlelocation": "left",
            "axes.titlepad": 14,
            "axes.edgecolor": PALE,
            "axes.axisbelow": True,
            "axes.labelcolor": INK,
            "grid.color": PALE,
            "text.color": INK,
            "xtick.color": INK,
            "ytick.color": INK,
            "xtick.major.size": 0,
            "ytick.major.size": 0,
        }
    )


def script(name: str) -> ModuleType:
    """Return the module of one of the lesson's scripts."""
    return importlib.import_module(f"lessons.{lesson}.{name}")


def show(name: str, *parts: str) -> Markdown:
    """Show classes, functions or methods of a script, as they are in its file.

    Args:
        name: the script, such as `app`.
        parts: names in the script, such as `MainHandler` or `MainHandler.get`.
    """
    module = script(name)
    return show_source(*(_find(module, part) for part in parts))


def _find(module: ModuleType, path: str) -> Any:
    """Return what a path such as `MainHandler.get` names in a module."""
    found: Any = module
    for word in path.split("."):
        found = inspect.getattr_static(found, word)
    return found


def show_source(*parts: Any) -> Markdown:
    """Show classes, functions or methods of files, without the comments that mark regions."""
    blocks = []
    for file, originals in itertools.groupby(map(inspect.unwrap, parts), inspect.getsourcefile):
        sources = [REGION.sub("", inspect.getsource(part)) for part in originals]
        sources = [textwrap.dedent(source).strip() for source in sources]
        name, code = Path(str(file)).relative_to(ROOT).as_posix(), "\n\n\n".join(sources)
        blocks.append(f"`{name}`\n\n```python\n{code}\n```")
    return Markdown("\n\n".join(blocks))


def text_of(file: Path) -> str:
    """Return the text of a file, without the comments that mark its regions."""
    return REGION.sub("", file.read_text(encoding="utf-8"))


class Answered:
    """A request that a server with a name has answered."""

    def __init__(self, who: str, handler: RequestHandler) -> None:
        self.who, self.request, self.status = who, handler.request, handler.get_status()
        self.path = handler.request.path
        self.took = handler.request.request_time()
        self.began = time.perf_counter() - self.took


def bound() -> tuple[socket.socket, str]:
    """Return a socket on a free port, and the address of the server that will use it."""
    [listener] = bind_sockets(0, "127.0.0.1")
    return listener, f"http://127.0.0.1:{listener.getsockname()[1]}"


def serve(
    app: Application | list[Any],
    listener: socket.socket | None = None,
    name: str = "",
    server_class: type[HTTPServer] = HTTPServer,
) -> str:
    """Serve an application on a free port of this computer; return its address.

    Args:
        app: the application, or a list of routes.
        listener: a socket of `bound`, if the application had to know its address before.
        name: the name with which its answers are added to `story`; "" adds none.
        server_class: the server, if the application has one of its own.
    """
    if isinstance(app, list):
        app = Application(app)
    if name:
        app.settings["log_function"] = lambda handler: story.append(Answered(name, handler))
    listener = listener or bound()[0]
    server = server_class(app)
    # In an empty context, so that a handler does not print into the cell that started its server.
    contextvars.Context().run(server.add_sockets, [listener])
    address = f"http://127.0.0.1:{listener.getsockname()[1]}"
    servers[address] = server
    return address


async def ask(address: str, path: str = "/", method: str = "GET", **options: Any) -> HTTPResponse:
    """Send one request; return the response, whatever its status. No redirect is followed."""
    options = {"follow_redirects": False, "allow_nonstandard_methods": True} | options
    return await AsyncHTTPClient().fetch(
        address + path, method=method, raise_error=False, **options
    )


class Browser:
    """A client that keeps the cookies of servers, and sends them back.

    Args:
        address: the server whose paths `ask` requests; "" for whole addresses.
        cookies: cookies that it has from the start.
    """

    def __init__(self, address: str = "", **cookies: str) -> None:
        self.address, self.cookies = address, cookies
        self.sockets: list[WebSocketClientConnection] = []

    async def ask(
        self,
        path: str = "/",
        method: str = "GET",
        headers: Mapping[str, str] | Iterable[tuple[str, str]] = (),
        form: Mapping[str, str] | None = None,
        **options: Any,
    ) -> HTTPResponse:
        """Send one request with the cookies; with a form, it is a POST."""
        sent = {"Cookie": "; ".join("=".join(pair) for pair in self.cookies.items())}
        if form is not None:
            method, options["body"] = "POST", urlencode(form)
        response = await ask(self.address, path, method, headers=sent | dict(headers), **options)
        for cookie in response.headers.get_list("Set-Cookie"):
            name, _, value = cookie.partition(";")[0].partition("=")
            self.cookies[name] = value.strip('"')
        return response


async def connect(address: str, path: str, **headers: str) -> WebSocketClientConnection:
    """Open a WebSocket.

    Raises:
        HTTPClientError: the server refuses it.
    """
    request = HTTPRequest(address.replace("http", "ws", 1) + path, headers=headers)
    sockets.append(await websocket_connect(request))
    return sockets[-1]


async def handshake_status(address: str, path: str, **headers: str) -> int:
    """Return the status with which a handshake is answered: 101, or an error."""
    try:
        await connect(address, path, **headers)
    except HTTPClientError as refused:
        return refused.code
    return 101


async def start(file: Path, *arguments: str) -> tuple[Process, str]:
    """Start a script as a program of its own, on a free port.

    Returns:
        The program, when it has printed its address or has ended, and its address.
    """
    listener, address = bound()
    listener.close()
    command = [sys.executable, str(file), f"--port={address.rpartition(':')[2]}", *arguments]
    environment = os.environ | {"PYTHONUNBUFFERED": "1", "PYTHON_COLORS": "0"}
    program = await asyncio.create_subprocess_exec(
        *command, stdout=PIPE, stderr=PIPE, env=environment
    )
    return program, await read_address(program)


async def read_address(program: Process) -> str:
    """Return the address that a script prints when it has started; "" if it has ended."""
    line = await program.stdout.readline() if program.stdout else b""
    return line.decode().strip().removeprefix("Open ")


async def finish(program: Process) -> tuple[int | None, str]:
    """End a program, if it still runs; return its exit code and its log."""
    with contextlib.suppress(ProcessLookupError):
        # As Ctrl-C, which lets it finish its log; Windows cannot send that to one program.
        program.send_signal(signal.SIGTERM if os.name == "nt" else signal.SIGINT)
    ending = asyncio.ensure_future(program.communicate())
    while not (await asyncio.wait([ending], timeout=WAKE_INTERVAL))[0]:
        with contextlib.suppress(ProcessLookupError):
            wake(program.send_signal)
    _, text = ending.result()
    return program.returncode, text.decode()


def temporary_folder() -> Path:
    """Return a new folder, which `stop` removes."""
    return Path(stack.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True)))


def table(*rows: Iterable[object]) -> Markdown:
    """Return rows of cells as a table; the first row is the heading."""
    texts = [[str(cell).strip() for cell in row] for row in rows]
    lines = ["| " + " | ".join(row) + " |" for row in texts]
    return Markdown("\n".join([lines[0], "|---" * len(texts[0]) + "|", *lines[1:]]))


def judge(received: object, expected: object, advice: str) -> None:
    """Print whether the code of a "your turn" cell does what it should.

    Args:
        received: what the code returned or answered.
        expected: what it should have been.
        advice: where to look, if the two differ.
    """
    if received == expected:
        print(f"Right: {received!r}")
    else:
        print(f"Not yet: received {received!r}, expected {expected!r}. {advice}")


def check(label: str) -> None:
    """Check the work file of an exercise, as `learn.py check` does, and print the result.

    Args:
        label: the exercise, such as 01/allow_head, or 01 for all of the lesson.
    """
    from course.catalog import Catalog
    from course.checking.session import check_one
    from course.progress import Progress

    for exercise in Catalog(ROOT).select_exercises(label)[1]:
        name = exercise.label
        if exercise.work_file.exists():
            check_one(exercise, Progress(ROOT / ".progress.json"))
        else:
            print(f"{name} has no work file yet. In a terminal: python3 learn.py start {name}")


async def stop(*closers: Callable[[], Awaitable[object]]) -> None:
    """Close all sockets, servers, folders and programs of the notebook.

    Args:
        closers: coroutine functions that are called before the folders are removed.

    Raises:
        AssertionError: a server still accepts connections.
    """
    for each in sockets:
        each.close()
    for address, server in servers.items():
        server.stop()
        await server.close_all_connections()
        try:
            await AsyncHTTPClient().fetch(address, raise_error=False)
        except ConnectionRefusedError:
            continue
        raise AssertionError(f"{address} still accepts connections")
    print(len(servers), "servers stopped")
    servers.clear()
    sockets.clear()
    for closer in closers:
        await closer()
    stack.close()
