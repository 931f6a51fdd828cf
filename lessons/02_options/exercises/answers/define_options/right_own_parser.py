# An OptionParser of one's own.
"""Define options whose values have types: a switch, a list, a length of time.

python3 learn.py run 02/define_options --lit --colours=red,white --period="1m 30s"
"""

import asyncio
import contextlib
from datetime import timedelta

import tornado.web
from tornado.options import OptionParser


class ConfigHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.write(self.settings["config"])


def make_app(config: dict[str, object]) -> tornado.web.Application:
    return tornado.web.Application([(r"/config", ConfigHandler)], config=config)


async def main() -> None:
    options = OptionParser()
    options.define("port", default=8888, help="port to listen on")
    options.define("lit", default=False)
    options.define("colours", type=str, multiple=True)
    options.define("period", default=timedelta(seconds=10))
    options.parse_command_line()
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
