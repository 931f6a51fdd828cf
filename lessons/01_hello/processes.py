"""Several processes on one port: open it, fork, and only then start the event loop.

Run it:  python3 learn.py run 01/processes
Windows has no fork: there the script says so and serves with one process.
"""

import asyncio
import contextlib
import os
import signal
import socket

import tornado.httpserver
import tornado.netutil
import tornado.process
import tornado.web
from tornado.options import define, options, parse_command_line


class ProcessHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.write(f"child {tornado.process.task_id()}, process {os.getpid()}\n")


def make_app() -> tornado.web.Application:
    """Make an application with one page that says which process has answered."""
    return tornado.web.Application([(r"/", ProcessHandler)])


async def serve(sockets: list[socket.socket], parent: int | None) -> None:
    """Serve until parent, the reading end of a pipe, reports that the parent is gone."""
    stop = asyncio.Event()
    if parent is not None:
        asyncio.get_running_loop().add_reader(parent, stop.set)
    tornado.httpserver.HTTPServer(make_app()).add_sockets(sockets)
    await stop.wait()


def main() -> None:
    define("port", default=8888, help="port to listen on")
    define("processes", default=2, help="how many to fork; 0 means one for each core")
    parse_command_line()
    sockets = tornado.netutil.bind_sockets(options.port, "localhost")
    print(f"Open http://localhost:{options.port}", flush=True)  # or each child prints it too

    parent = None
    if hasattr(os, "fork"):
        # A signal reaches only the parent. When the parent ends, for whatever reason, its end of
        # the pipe closes, and the children stop.
        parent, alive = os.pipe()
        # The parent exits at once: an exception raised in the middle of a fork would be lost.
        signal.signal(signal.SIGINT, lambda *_: os._exit(0))
        tornado.process.fork_processes(options.processes)
        # From here on this is a child: the parent stays in fork_processes.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        os.close(alive)
    else:
        print("This system has no fork: serving with one process.")
    asyncio.run(serve(sockets, parent))


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        main()
