# A base class records with inspect; the refusal stands in the subclass, as a coroutine.
"""Record which methods of a handler run, in order, when it works, fails or is refused."""

import asyncio
import contextlib
import sys

import tornado.web
from tornado.options import define, options, parse_command_line


class Recorder(tornado.web.RequestHandler):
    def record(self):
        self.application.settings["steps"].append(sys._getframe(1).f_code.co_name)

    def set_default_headers(self):
        self.record()
        super().set_default_headers()

    def initialize(self, **kwargs):
        self.record()
        super().initialize(**kwargs)

    def prepare(self):
        self.record()
        return super().prepare()

    def write_error(self, *args, **kwargs):
        self.record()
        return super().write_error(*args, **kwargs)

    def on_finish(self):
        self.record()
        super().on_finish()


class TraceHandler(Recorder):
    async def prepare(self):
        super().prepare()
        if not self.request.headers.get_list("X-Visitor"):
            raise tornado.web.HTTPError(403, "no visitor")

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
