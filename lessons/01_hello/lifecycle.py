"""The methods that Tornado calls for one request, in order, with and without an error.

Run it:  python3 learn.py run 01/lifecycle
"""

import asyncio
import contextlib

import tornado.web
from tornado.options import define, options, parse_command_line


class RecordedHandler(tornado.web.RequestHandler):
    def record(self, step: str) -> None:
        self.settings["steps"].append(step)

    def set_default_headers(self) -> None:
        self.record("set_default_headers")

    def initialize(self) -> None:
        self.record("initialize")

    def prepare(self) -> None:
        self.record("prepare")

    def get(self) -> None:
        self.record("get")
        self.write("Now see /steps\n")

    def post(self) -> None:
        self.record("post")
        raise tornado.web.HTTPError(409)

    def write_error(self, status_code: int, **kwargs: object) -> None:
        self.record("write_error")
        self.finish(f"{status_code}, now see /steps\n")

    def on_finish(self) -> None:
        self.record("on_finish")


class StepsHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.write({"steps": self.settings["steps"]})
        self.settings["steps"].clear()


def make_app() -> tornado.web.Application:
    """Make an application: GET / succeeds, POST / fails, GET /steps lists the methods called."""
    return tornado.web.Application([(r"/", RecordedHandler), (r"/steps", StepsHandler)], steps=[])


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    make_app().listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
