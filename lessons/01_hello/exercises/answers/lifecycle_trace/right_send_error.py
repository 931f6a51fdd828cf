# prepare() calls send_error(403); a helper records.
"""Record which methods of a handler run, in order, when it works, fails or is refused."""

import asyncio
import contextlib

import tornado.web
from tornado.options import define, options, parse_command_line


class TraceHandler(tornado.web.RequestHandler):
    def step(self, name):
        self.settings["steps"].append(name)

    def set_default_headers(self):
        self.step("set_default_headers")

    def initialize(self):
        self.step("initialize")

    def prepare(self):
        self.step("prepare")
        if self.request.headers.get("x-visitor") is None:
            self.send_error(403)

    def write_error(self, status_code, **kwargs):
        self.step("write_error")
        tornado.web.RequestHandler.write_error(self, status_code, **kwargs)

    def on_finish(self):
        self.step("on_finish")

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
