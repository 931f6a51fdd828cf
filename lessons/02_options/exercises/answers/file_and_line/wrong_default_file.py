# light.conf is the default of --config: without it the program reads a file.
# Told: Bell Rock
# Told: the body 'Eddystone'
# Told: without --config it is empty
"""Read options from a file too, and let the command line have the last word.

python3 learn.py run 02/file_and_line --config=light.conf --name=Fastnet
"""

import asyncio
import contextlib
from pathlib import Path

import tornado.web
from tornado.options import define, options, parse_command_line, parse_config_file


class NameHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.write(self.settings["name"])


def make_app(name: str) -> tornado.web.Application:
    return tornado.web.Application([(r"/", NameHandler)], name=name)


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    define("name", default="Eddystone", help="name of the lighthouse")
    define("config", default="light.conf", help="file with options")
    parse_command_line(final=False)
    if Path(options.config).is_file():
        parse_config_file(options.config, final=False)
    parse_command_line()
    make_app(options.name).listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
