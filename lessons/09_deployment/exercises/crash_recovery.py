"""A part of supervisor.conf that keeps two instances running, whatever happens to one of them."""

import asyncio
import contextlib
import os
import signal

import tornado.web
from tornado.options import define, options, parse_command_line

# TODO: the check puts paths for PYTHON and FILE, and a number for APP_: 1 and 2 make it a port.
SUPERVISOR = """
[program:app]
command=PYTHON FILE --port=APP_1
autorestart=false
stdout_logfile=%(here)s/app.log
"""


class PidHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.write(str(os.getpid()))


def make_app() -> tornado.web.Application:
    return tornado.web.Application([(r"/pid", PidHandler)])


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    make_app().listen(options.port)
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))  # as Ctrl-C
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
