"""Options from a file, which the command line overrides.

Run it:  python3 learn.py run 02/config_file
Then:    python3 learn.py run 02/config_file --name=Fastnet
"""

import asyncio
import contextlib
from pathlib import Path

import tornado.web
from tornado.options import OptionParser, define, options

LIGHTHOUSE = Path(__file__).resolve().parent / "settings" / "lighthouse.conf"


class LightHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.write(self.settings["light"])


def define_light(parser: OptionParser) -> None:
    """Define the options that the file may set; it cannot set an option that is not defined."""
    parser.define("name", default="Eddystone", help="name of the lighthouse", group="light")
    parser.define("colours", default=["white"], multiple=True, help="of its light", group="light")
    parser.define("keepers", default={}, type=dict, help="names by time of day", group="light")
    parser.define("config", default=str(LIGHTHOUSE), help="file with options, in Python")


def read(parser: OptionParser, arguments: list[str] | None = None) -> None:
    """Set the options: the file overrides the defaults, the command line overrides the file.

    Args:
        parser: the options, already defined.
        arguments: the command line, with the name of the program first; None means sys.argv.
    """
    parser.parse_command_line(arguments, final=False)  # --config says which file
    parser.parse_config_file(parser.config, final=False)
    parser.parse_command_line(arguments)  # again, so that it overrides the file


def make_app(light: dict[str, object]) -> tornado.web.Application:
    """Make an application with one page that shows all options of the group light."""
    return tornado.web.Application([(r"/", LightHandler)], light=light)


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    define_light(options)
    read(options)
    make_app(options.group_dict("light")).listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
