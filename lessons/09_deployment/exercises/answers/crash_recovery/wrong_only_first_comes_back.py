# Only the first of two programs is started again.
# Told: it is not started again
# Told: SUPERVISOR: autorestart=true, for both.
"""A part of supervisor.conf that keeps two processes running, also when one of them is killed."""

import asyncio
import contextlib
import os

import tornado.web
from tornado.options import define, options, parse_command_line

# TODO: the check replaces PYTHON and FILE by paths, and APP_ by a number: APP_1 is a port.
SUPERVISOR = """
[program:first]
command=PYTHON FILE --port=APP_1
autorestart=true
stdout_logfile=%(here)s/first.log

[program:second]
command=PYTHON FILE --port=APP_2
autorestart=false
stdout_logfile=%(here)s/second.log
"""


class PidHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.write(str(os.getpid()))


def make_app() -> tornado.web.Application:
    return tornado.web.Application([(r"/pid", PidHandler)])


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    make_app().listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
