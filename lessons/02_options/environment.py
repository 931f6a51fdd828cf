"""Options from the environment as well: default, file, environment, command line, in this order.

Run it:  python3 learn.py run 02/environment
Then set LIGHT_NAME=Fastnet in your shell, and run it again.
"""

import asyncio
import contextlib
import os
import signal
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
    """Define the options, each of which every source may set."""
    parser.define("name", default="Eddystone", help="name of the lighthouse", group="light")
    parser.define("colours", default=["white"], multiple=True, help="of its light", group="light")
    parser.define("config", default=str(LIGHTHOUSE), help="file with options, in Python")


def read(parser: OptionParser, arguments: list[str], environ: Mapping[str, str]) -> None:
    """Set the options from all sources; the later one wins.

    Args:
        parser: has the options, defined.
        arguments: of the program, whose name comes first: sys.argv.
        environ: LIGHT_NAME is for the option name, and so on: os.environ.
    """
    # region read
    variables = {f"LIGHT_{name.upper()}": name for name in parser}
    given = [f"--{name}={environ[key]}" for key, name in variables.items() if key in environ]
    parser.parse_command_line(arguments, final=False)  # for --config
    parser.parse_config_file(parser.config, final=False)
    parser.parse_command_line(["environment", *given], final=False)  # text, like the command line
    parser.parse_command_line(arguments)
    # endregion


def make_app(light: dict[str, object]) -> tornado.web.Application:
    """One page that tells all options of the group light."""
    return tornado.web.Application([(r"/", LightHandler)], light=light)


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    define_light(options)
    read(options, sys.argv, os.environ)
    make_app(options.group_dict("light")).listen(options.port)
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))  # as Ctrl-C
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
