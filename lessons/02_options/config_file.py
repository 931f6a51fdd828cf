"""Options from a file, with the command line over it.

Run it:  python3 learn.py run 02/config_file
Then:    python3 learn.py run 02/config_file --name=Fastnet
"""

import asyncio
import contextlib
import signal
from pathlib import Path

import tornado.web
from tornado.options import OptionParser, define, options

LIGHTHOUSE = Path(__file__).resolve().parent / "settings" / "lighthouse.conf"


class LightHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.write(self.settings["light"])


def define_light(parser: OptionParser) -> None:
    """Define what the file may set: it cannot set what is not defined."""
    parser.define("name", default="Eddystone", help="name of the lighthouse", group="light")
    parser.define("colours", default=["white"], multiple=True, help="of its light", group="light")
    parser.define("keepers", default={}, type=dict, help="who is when on duty", group="light")
    parser.define("config", default=str(LIGHTHOUSE), help="file with options, in Python")


def read(parser: OptionParser, arguments: list[str] | None = None) -> None:
    """Set the options: the file wins over the defaults, the command line over the file.

    Args:
        parser: has the options, defined.
        arguments: of the program, whose name comes first; None for those it was started with.
    """
    parser.parse_command_line(arguments, final=False)  # which file? --config says
    parser.parse_config_file(parser.config, final=False)
    parser.parse_command_line(arguments)  # once more: the last word is the command line's


def make_app(light: dict[str, object]) -> tornado.web.Application:
    """One page that tells all options of the group light."""
    return tornado.web.Application([(r"/", LightHandler)], light=light)


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    define_light(options)
    read(options)
    make_app(options.group_dict("light")).listen(options.port)
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))  # as Ctrl-C
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
