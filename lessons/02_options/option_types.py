"""The types of an option: the text of the command line becomes a number, a time, a list.

Run it:  python3 learn.py run 02/option_types
Then:    python3 learn.py run 02/option_types --lit --period=10s --sectors=1:3,7
"""

import asyncio
import contextlib
from datetime import datetime, timedelta
from pathlib import Path

import tornado.web
from tornado.options import OptionParser, define, options, parse_command_line

FOLDER = Path(__file__).resolve().parent


class LightHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.render("light.html", light=self.settings["light"])


def define_light(parser: OptionParser) -> None:
    """Define an option of each type; an option without a default and a type is a string."""
    parser.define("name", default="Eddystone", help="text", group="light")
    parser.define("miles", default=17.0, help="a number", group="light")
    # region light
    parser.define("keepers", default=3, help="a whole number", group="light")
    parser.define("lit", default=True, help="--lit, or --lit=false", group="light")
    parser.define("period", default=timedelta(seconds=6), help="5s, 1m 30s", group="light")
    parser.define("built", type=datetime, help="1882-05-18", group="light")
    parser.define("colours", default=["gold"], multiple=True, help="red,white", group="light")
    parser.define("sectors", type=int, multiple=True, help="3,5 or a range: 1:3", group="light")
    # endregion


def make_app(light: dict[str, object]) -> tornado.web.Application:
    """Make an application with one page: the options, their types and values, and the light."""
    return tornado.web.Application(
        [(r"/", LightHandler)],
        light=light,
        template_path=FOLDER / "templates",
        static_path=FOLDER / "static",
    )


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    define_light(options)
    parse_command_line()
    make_app(options.group_dict("light")).listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
