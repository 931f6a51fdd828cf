"""Starts the chat: python -m capstone_chat --help"""

import asyncio
import contextlib
import errno
import gc
import signal
import socket
import sys
from collections.abc import Callable
from types import FrameType

import tornado.netutil

from capstone_chat import logs
from capstone_chat.app import make_app
from capstone_chat.options import OptionError, Options, hide_password, parse
from capstone_chat.server import Server, usable_connections
from capstone_chat.services import Services

BACKLOG = 4096
"""Connections that wait to be accepted, as when everybody comes back at once."""

STOP_SIGNALS = [
    number
    for name in ("SIGTERM", "SIGINT", "SIGHUP", "SIGBREAK")  # the last one only on Windows
    if (number := getattr(signal, name, None)) is not None
]

ANY_ADDRESS = {"", "0.0.0.0", "::"}  # noqa: S104 - compared with, not listened on


async def serve(options: Options) -> None:
    """Serve until SIGTERM, SIGHUP or Ctrl-C, then finish what has begun: /readyz says so first,
    then the sockets are told, and what waits for its commit is stored."""
    connections = usable_connections(options.connections)
    app = make_app(options)
    chat = app.settings["chat"]
    server = Server(app, connections)
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    set_stop_handler(lambda *_: loop.call_soon_threadsafe(stop.set))
    try:
        if not await open_services(chat, stop):
            return
        sockets = listen(options.address, options.port)
        server.add_sockets(sockets)
        gc.freeze()  # what is there now stays: the collector need not look at it again and again,
        gc.set_threshold(20_000, 20, 50)  # and seldom at open sockets, of which there are many
        print(f"Open {url_to_open(options.address, sockets[0].getsockname()[1])}", flush=True)
        await stop.wait()
        chat.hub.draining = True  # a proxy sends nobody here any more; those who are here go on
        stop.clear()
        with contextlib.suppress(TimeoutError):  # who asks twice is in a hurry
            await asyncio.wait_for(stop.wait(), options.drain)
        server.stop()
    finally:
        await chat.close()
        await server.close_all_connections()
        set_stop_handler(signal.SIG_IGN)  # it is stopping; to ask again changes nothing


async def open_services(chat: Services, stop: asyncio.Event) -> bool:
    """Open the chat; return False if a stop is requested first, whatever it waits for.

    Raises:
        OptionError: other processes cannot be reached.
    """
    opening, stopping = asyncio.ensure_future(chat.open()), asyncio.ensure_future(stop.wait())
    await asyncio.wait({opening, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if opening.done():
        opening.result()
        return True
    opening.cancel()
    await asyncio.gather(opening, return_exceptions=True)
    return False


def set_stop_handler(handler: Callable[[int, FrameType | None], object] | signal.Handlers) -> None:
    """Set what the signals that stop the chat do. SIGHUP stays ignored under nohup(1)."""
    for number in STOP_SIGNALS:
        if number == signal.SIGINT or signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, handler)


def exit_before_serving(_number: int, _frame: FrameType | None) -> None:
    """End the process before its event loop runs; a migration that has begun is rolled back."""
    raise SystemExit(0)


def listen(address: str, port: int) -> list[socket.socket]:
    """Return sockets that listen on an address: a host name, or an IP address, with the brackets
    of a URL or without; an empty one stands for all addresses.

    Raises:
        OSError: the address or the port cannot be had.
    """
    host = address.strip()
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    try:
        return tornado.netutil.bind_sockets(port, host, backlog=BACKLOG)
    except ValueError as error:  # no host name at all: too long, or with a NUL
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known") from error


def url_to_open(address: str, port: int) -> str:
    """Return a URL that a browser on this host can open when the chat listens on `address`."""
    host = address.strip().strip("[]")
    if host in ANY_ADDRESS:
        host = "[::1]" if host == "::" else "localhost"  # bind_sockets gives IPv6 alone for ::
    elif ":" in host:
        host = f"[{host.replace('%', '%25')}]"  # RFC 6874
    return f"http://{host}:{port}"


def main() -> int:
    """Return the exit code: 0 after a clean stop, 1 for no port, 2 for a wrong option."""
    logs.escape_stdout()
    try:
        options = parse(sys.argv[1:])
        logs.configure(options.logging)
        set_stop_handler(exit_before_serving)
    except OptionError as error:
        print_error(str(error))
        return 2
    try:
        asyncio.run(serve(options))
    except OptionError as error:
        print_error(str(error))
        return 2
    except OSError as error:
        print_error(bind_error_message(options, error))
        return 1
    return 0


def bind_error_message(options: Options, error: OSError) -> str:
    """Return what to do when the system refuses the port, the address or the folder."""
    if error.errno == errno.EADDRINUSE:
        hint = f"give another one, as --port={options.port + 1}"
        return f"port {options.port} is taken: {hint}"
    if error.filename:
        return f"{error.filename}: {error.strerror}; give another folder, as --data=DIR"
    listener = f"{options.address}:{options.port}"
    return f"cannot listen on {listener}: {error.strerror}; give another --address or --port"


def print_error(text: str) -> None:
    """Print an error on one line of stderr."""
    print(f"capstone_chat: {' '.join(hide_password(text).split())}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
