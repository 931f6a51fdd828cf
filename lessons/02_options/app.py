"""Options: define them, read the command line, pass their values to the application.

Run it:  python3 learn.py run 02
Then:    python3 learn.py run 02 --name=Skerryvore --colours=red,white
"""

import asyncio
import contextlib

import tornado.web
from tornado.options import define, options, parse_command_line


class LightHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.write({"name": self.settings["name"], "colours": self.settings["colours"]})


def make_app(name: str, colours: list[str]) -> tornado.web.Application:
    """Make an application with one page that shows two settings."""
    return tornado.web.Application([(r"/", LightHandler)], name=name, colours=colours)


async def main() -> None:
    # region options
    define("port", default=8888, help="port to listen on")
    define("name", default="Eddystone", help="name of the lighthouse")
    define("colours", default=["white"], multiple=True, help="colours of its light, with commas")
    parse_command_line()
    make_app(options.name, options.colours).listen(options.port, "localhost")
    # endregion
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
