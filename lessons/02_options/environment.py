"""Options from four sources, in this order: default, file, environment, command line.

Run it:  python3 learn.py run 02/environment
Then set LIGHT_NAME=Fastnet in your shell, and run it again.
"""

import asyncio
import contextlib
import os
import sys
from collections.abc import Mapping
from pathlib import Path

import tornado.web
from tornado.options import OptionParser, define, options

LIGHTHOUSE = Path(__file__).resolve().parent / "settings" / "lighthouse.conf"


class LightHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.write(self.settings["light"])


def define_light(parser: OptionParser) -> None:
    """Define the options; each source may set each of them."""
    parser.define("name", default="Eddystone", help="name of the lighthouse", group="light")
    parser.define("colours", default=["white"], multiple=True, help="of its light", group="light")
    parser.define("config", default=str(LIGHTHOUSE), help="file with options, in Python")


def read(parser: OptionParser, arguments: list[str], environ: Mapping[str, str]) -> None:
    """Set the options from all sources; each source overrides those before it.

    Args:
        parser: the options, already defined.
        arguments: the command line, with the name of the program first: sys.argv.
        environ: the environment, os.environ; LIGHT_NAME in it sets the option name.
    """
    # region read
    variables = {f"LIGHT_{name.upper()}": name for name in parser}
    given = [f"--{name}={environ[key]}" for key, name in variables.items() if key in environ]
    parser.parse_command_line(arguments, final=False)  # --config says which file
    parser.parse_config_file(parser.config, final=False)
    parser.parse_command_line(["environment", *given], final=False)  # parsed as on a command line
    parser.parse_command_line(arguments)
    # endregion


def make_app(light: dict[str, object]) -> tornado.web.Application:
    """Make an application with one page that shows all options of the group light."""
    return tornado.web.Application([(r"/", LightHandler)], light=light)


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    define_light(options)
    read(options, sys.argv, os.environ)
    make_app(options.group_dict("light")).listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
