# prepare() refuses before it is recorded.
# Told: initialize -> set_default_headers
# Told: append its name to the steps first
"""Record which methods of a handler run, in order, when it works, fails or is refused."""

import asyncio
import contextlib

import tornado.web
from tornado.options import define, options, parse_command_line


class TraceHandler(tornado.web.RequestHandler):
    def set_default_headers(self) -> None:
        self.settings["steps"].append("set_default_headers")

    def initialize(self) -> None:
        self.settings["steps"].append("initialize")

    def prepare(self) -> None:
        if "X-Visitor" not in self.request.headers:
            raise tornado.web.HTTPError(403)
        self.settings["steps"].append("prepare")

    def write_error(self, status_code: int, **kwargs) -> None:
        self.settings["steps"].append("write_error")
        super().write_error(status_code, **kwargs)

    def on_finish(self) -> None:
        self.settings["steps"].append("on_finish")

    def get(self) -> None:
        self.settings["steps"].append("get")

    def post(self) -> None:
        self.settings["steps"].append("post")
        raise tornado.web.HTTPError(409)


def make_app() -> tornado.web.Application:
    return tornado.web.Application([(r"/trace", TraceHandler)], steps=[])


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    make_app().listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
