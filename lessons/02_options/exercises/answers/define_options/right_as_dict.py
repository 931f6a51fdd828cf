# The values come from as_dict(), and options are defined by a function at the top.
"""Define options whose values have types: a switch, a list, a length of time.

python3 learn.py run 02/define_options --lit --colours=red,white --period="1m 30s"
"""

import asyncio
import contextlib
from datetime import timedelta

import tornado.options
import tornado.web
from tornado.options import define, options, parse_command_line


class ConfigHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.write(self.settings["config"])


def make_app(config: dict[str, object]) -> tornado.web.Application:
    return tornado.web.Application([(r"/config", ConfigHandler)], config=config)


def define_options():
    tornado.options.options.define("lit", False, bool, "lit or not")
    tornado.options.options.define("colours", [], str, "colours", multiple=True)
    tornado.options.options.define("period", timedelta(seconds=10.0), help="5s")


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    define_options()
    parse_command_line()
    config = {
        "port": options.port,
        **{name: options.as_dict()[name] for name in ("lit", "colours")},
        "period": options.as_dict()["period"].total_seconds(),
    }
    make_app(config).listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
