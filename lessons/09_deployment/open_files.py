"""Open files: each connection is one, and a process that has too many accepts no more.

Run it:  python3 learn.py run 09/open_files
Windows has no such limit: there the script only serves.
"""

import asyncio
import contextlib
import logging
import socket

import tornado.httpserver
import tornado.netutil
import tornado.web
from tornado.options import define, options, parse_command_line

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]


class HomeHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.write("one connection, one open file\n")


def make_app() -> tornado.web.Application:
    """Make an application with one page."""
    return tornado.web.Application([("/", HomeHandler)])


def raise_limit() -> int:
    """Allow this process as many open files as the system permits; return the number."""
    # region raise
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    # endregion
    return hard


async def count(limit: int, wanted: int) -> tuple[int, str]:
    """Open connections to a server in this process with a limit of open files.

    Each of these connections is two files: one of the client, one of the server.

    Returns:
        How many connections the server has accepted, and the error of the last one, or "".
    """
    accepted: list[socket.socket] = []
    listener = socket.create_server(("127.0.0.1", 0), backlog=wanted)
    clients = [socket.socket() for _ in range(wanted)]  # so that only the server can fail
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (clients[-1].fileno() + limit, before[1]))
    error = ""
    try:
        for client in clients:
            client.connect(listener.getsockname())
            accepted.append(listener.accept()[0])
    except OSError as failed:
        error = str(failed)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
        for each in (listener, *clients, *accepted):
            each.close()
    return len(accepted), error


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    if resource is None:
        logging.warning("Windows has no limit of open files for a process")
    else:
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        print(f"soft limit (ulimit -n): {soft}, hard limit: {hard}")
        for limit in (20, 200):
            accepted, error = await count(limit, wanted=100)
            print(f"place for {limit}: {accepted} of 100 accepted {error}".rstrip())
        print(f"raised to: {raise_limit()}")
    make_app().listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
