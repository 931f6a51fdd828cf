"""Two processes, started separately, share one port through reuse_port.

Run it:  python3 learn.py run 01/shared_port     (in two terminals)
Linux distributes the connections. macOS lets processes share a port, but may prefer one.
Windows has no SO_REUSEPORT: there a second start fails with "address in use".
"""

import asyncio
import contextlib
import os
import socket

import tornado.web
from tornado.options import define, options, parse_command_line


class ProcessHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.write(f"process {os.getpid()}\n")


def make_app() -> tornado.web.Application:
    """Make an application with one page that says which process has answered."""
    return tornado.web.Application([(r"/", ProcessHandler)])


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    make_app().listen(options.port, "localhost", reuse_port=hasattr(socket, "SO_REUSEPORT"))
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
