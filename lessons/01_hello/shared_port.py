"""Start this twice: two separate processes share one port through reuse_port.

Run it:  python3 learn.py run 01/shared_port     (in two terminals)
Linux deals connections out to all of them. macOS lets them share, but may favour one.
Windows has no SO_REUSEPORT: there a second start fails with "address in use".
"""

import asyncio
import contextlib
import os
import signal
import socket

import tornado.web
from tornado.options import define, options, parse_command_line


class ProcessHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.write(f"process {os.getpid()}\n")


def make_app() -> tornado.web.Application:
    """One page that says which process answered."""
    return tornado.web.Application([(r"/", ProcessHandler)])


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    make_app().listen(options.port, reuse_port=hasattr(socket, "SO_REUSEPORT"))
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))  # as Ctrl-C
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
