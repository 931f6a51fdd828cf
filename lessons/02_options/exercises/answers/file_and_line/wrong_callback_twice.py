# A callback reads the file at each --config: an option before it loses, even if the command line is read twice.
# Told: --config=north.conf
# Told: north.conf:
# Told: the source that sets an option last wins
"""Read options from a file too, and let the command line have the last word.

python3 learn.py run 02/file_and_line --config=light.conf --name=Fastnet
"""

import asyncio
import contextlib

import tornado.options
import tornado.web
from tornado.options import define, options, parse_command_line


class NameHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.write(self.settings["name"])


def make_app(name: str) -> tornado.web.Application:
    return tornado.web.Application([(r"/", NameHandler)], name=name)


def read_file(path):
    if path:
        tornado.options.parse_config_file(path, final=False)


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    define("name", default="Eddystone", help="name of the lighthouse")
    define("config", default="", help="file with options", callback=read_file)
    for last in (False, True):
        parse_command_line(final=last)
    make_app(options.name).listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
