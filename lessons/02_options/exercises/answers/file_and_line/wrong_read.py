# The function of config_file.py is called, and it is not in this file.
# Told: name 'read' is not defined
# Told: standard error says which one
"""Read options from a file, too, and let the command line override it.

python3 learn.py run 02/file_and_line --config=light.conf --name=Fastnet
"""

import asyncio
import contextlib

import tornado.web
from tornado.options import define, options, parse_command_line


class NameHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.write(self.settings["name"])


def make_app(name: str) -> tornado.web.Application:
    return tornado.web.Application([(r"/", NameHandler)], name=name)


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    define("name", default="Eddystone", help="name of the lighthouse")
    define("config", default="", help="file with options")
    read(options)
    make_app(options.name).listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
