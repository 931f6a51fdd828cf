# The default of autorestart, and logs by AUTO in a folder of the same place.
"""A part of supervisor.conf that keeps two processes running, also when one of them is killed."""

import asyncio
import contextlib
import os

import tornado.web
from tornado.options import define, options, parse_command_line

# TODO: the check replaces PYTHON and FILE by paths, and APP_ by a number: APP_1 is a port.
SUPERVISOR = """
[program:app]
numprocs=2
numprocs_start=1
process_name=%(process_num)d
environment=PYTHONUNBUFFERED="1"
command=PYTHON FILE --port=APP_%(process_num)d
stdout_logfile=AUTO
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
