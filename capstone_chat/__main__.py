"""Command line that starts the chat: `python -m capstone_chat --help`."""

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

from capstone_chat import demo, logs
from capstone_chat.app import make_app
from capstone_chat.options import OptionError, Options, hide_password, parse
from capstone_chat.server import Server, usable_connections
from capstone_chat.services import Services

BACKLOG = 4096
"""Number of connections that may wait to be accepted, as in a reconnect storm."""

SIGNAL_INTERVAL = 1.0
"""Seconds between two iterations of an idle event loop. Python runs the handler of a signal between
two instructions: if it arrives just before the loop waits, that is in the next iteration."""

STOP_SIGNALS = [
    number
    for name in ("SIGTERM", "SIGINT", "SIGHUP", "SIGBREAK")  # the last one only on Windows
    if (number := getattr(signal, name, None)) is not None
]

ANY_ADDRESS = {"", "0.0.0.0", "::"}  # noqa: S104 - only for comparison


async def serve(options: Options) -> None:
    """Serve until SIGTERM, SIGHUP or Ctrl-C, then shut down gracefully.

    During the shutdown /readyz answers 503 for `options.drain` seconds. Then the connections are
    closed with 1001, requests in flight are answered, and queued writes are committed.

    Raises:
        OptionError: an option, the database or Redis cannot be used.
        OSError: the address or the port cannot be used.
    """
    app = make_app(options)
    chat = app.settings["chat"]
    server = Server(app)
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    set_stop_handler(lambda *_: loop.call_soon_threadsafe(stop.set))
    try:
        if not await open_services(chat, stop):
            return
        redis_servers = chat.hub.broker.server_count if chat.hub.broker else 0
        server.max_connections = usable_connections(options.connections, redis_servers)
        sockets = listen(options.address, options.port)
        links = await demo.prepare(app) if options.demo else {}
        server.add_sockets(sockets)
        # Objects that exist now live as long as the process, so the collector skips them (freeze).
        # High thresholds make it examine the many objects of open connections less often.
        gc.freeze()
        gc.set_threshold(20_000, 20, 50)
        print(start_message(options, sockets, links), flush=True)
        while not stop.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), SIGNAL_INTERVAL)
        chat.hub.draining = True  # /readyz answers 503: a proxy sends no new connections
        stop.clear()
        with contextlib.suppress(TimeoutError):  # a second signal skips the drain period
            await asyncio.wait_for(stop.wait(), options.drain)
        server.stop()
    finally:
        await chat.close()
        await server.close_all_connections()
        set_stop_handler(signal.SIG_IGN)  # further signals have no effect during the shutdown


async def open_services(chat: Services, stop: asyncio.Event) -> bool:
    """Open the services, unless a stop is requested first.

    Returns:
        False if a stop is requested before the services are open.

    Raises:
        OptionError: the database or Redis cannot be used.
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
    """Set the handler of the signals that stop the chat. Under nohup(1) SIGHUP stays ignored."""
    for number in STOP_SIGNALS:
        if number == signal.SIGINT or signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, handler)


def exit_before_serving(_number: int, _frame: FrameType | None) -> None:
    """End the process before the event loop runs; a migration in progress is rolled back."""
    raise SystemExit(0)


def listen(address: str, port: int) -> list[socket.socket]:
    """Return sockets that listen on an address.

    Args:
        address: a host name, or an IP address, with or without the brackets of a URL; "" for all
            addresses.
        port: the port; 0 for a free one.

    Raises:
        OSError: the address does not exist here, or the port is in use.
    """
    host = address.strip()
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    try:
        return tornado.netutil.bind_sockets(port, host, backlog=BACKLOG)
    except ValueError as error:  # no valid host name: too long, or with a NUL
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known") from error


def url_to_open(address: str, port: int) -> str:
    """Return a URL that a browser on this host can open when the chat listens on `address`."""
    host = address.strip().strip("[]")
    if host in ANY_ADDRESS:
        host = "[::1]" if host == "::" else "localhost"  # for :: bind_sockets listens on IPv6 only
    elif ":" in host:
        host = f"[{host.replace('%', '%25')}]"  # RFC 6874
    return f"http://{host}:{port}"


def start_message(options: Options, sockets: list[socket.socket], links: dict[str, str]) -> str:
    """Return what the chat prints when it listens.

    Args:
        options: the options of the chat.
        sockets: the listening sockets.
        links: path and query of a login link by nickname, for a demo; see `demo.prepare`.
    """
    port = sockets[0].getsockname()[1]
    if not links:
        return f"Open {url_to_open(options.address, port)}"
    numeric = min((one.getsockname()[0] for one in sockets), key=lambda host: ":" in host)
    # Two hosts, so that one browser keeps the two logins apart.
    lines = [
        f"  {nickname}: {url_to_open(host, port)}{path}"
        for host, (nickname, path) in zip(("localhost", numeric), links.items(), strict=True)
    ]
    heading = "Open both links, in one browser or in two. Each of them works once:"
    return "\n".join([heading, *lines, f"The data is in {options.data}"])


def main() -> int:
    """Run the chat; return 0 after a stop, 1 if it cannot listen, 2 for an invalid option."""
    logs.escape_stdout()
    try:
        options = parse(sys.argv[1:])
        logs.configure(options.logging)
        set_stop_handler(exit_before_serving)
    except OptionError as error:
        print_error(str(error))
        return 2
    folder = demo.data_folder(options) if options.demo else contextlib.nullcontext(options)
    try:
        with folder as options:
            asyncio.run(serve(options))
    except OptionError as error:
        print_error(str(error))
        return 2
    except OSError as error:
        print_error(bind_error_message(options, error))
        return 1
    return 0


def bind_error_message(options: Options, error: OSError) -> str:
    """Return the message, with advice, for a port, address or folder that the system refuses."""
    if error.errno == errno.EADDRINUSE:
        hint = f"give another one, as --port={options.port + 1}"
        return f"port {options.port} is taken: {hint}"
    if error.filename:
        return f"{error.filename}: {error.strerror}; give another folder, as --data=DIR"
    listener = f"{options.address}:{options.port}"
    return f"cannot listen on {listener}: {error.strerror}; give another --address or --port"


def print_error(text: str) -> None:
    """Print an error to stderr in one line."""
    print(f"capstone_chat: {' '.join(hide_password(text).split())}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
