# The type of the default is not the type of the option.
# Told: 'int' object has no attribute 'total_seconds'
# Told: default=timedelta(seconds=10), from the module datetime, makes it a length of time
"""Define options of several types: a boolean, a list, a length of time.

python3 learn.py run 02/define_options --lit --colours=red,white --period="1m 30s"
"""

import asyncio
import contextlib
from datetime import timedelta

import tornado.web
from tornado.options import define, options, parse_command_line


class ConfigHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.write(self.settings["config"])


def make_app(config: dict[str, object]) -> tornado.web.Application:
    return tornado.web.Application([(r"/config", ConfigHandler)], config=config)


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    define("lit", default=False, help="whether the lamp is on")
    define("colours", multiple=True, help="of the light, separated by commas")
    define("period", default=10, type=timedelta, help="from flash to flash, as 5s or 1m 30s")
    parse_command_line()
    config = {
        "port": options.port,
        "lit": options.lit,
        "colours": options.colours,
        "period": options.period.total_seconds(),
    }
    make_app(config).listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
