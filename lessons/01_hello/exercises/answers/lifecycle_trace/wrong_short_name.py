# HTTPError is written without its modules.
# Told: name 'HTTPError' is not defined
# Told: For NameError, write tornado.web.HTTPError(403)
"""Record which methods of a handler run, in order, when it works, fails or is refused."""

import asyncio
import contextlib
from typing import Any

import tornado.web
from tornado.options import define, options, parse_command_line


class TraceHandler(tornado.web.RequestHandler):
    def record(self, step: str) -> None:
        self.settings["steps"].append(step)

    def set_default_headers(self) -> None:
        self.record("set_default_headers")

    def initialize(self) -> None:
        self.record("initialize")

    def prepare(self) -> None:
        self.record("prepare")
        if "X-Visitor" not in self.request.headers:
            raise HTTPError(403)

    def get(self) -> None:
        self.record("get")

    def post(self) -> None:
        self.record("post")
        raise tornado.web.HTTPError(409)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        self.record("write_error")
        super().write_error(status_code, **kwargs)  # the page itself stays as it is

    def on_finish(self) -> None:
        self.record("on_finish")


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
