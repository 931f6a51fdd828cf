# A decorator records each method; the refusal has a reason of its own.
"""Record which methods of a handler run, in order, when it works, fails or is refused."""

import asyncio
import contextlib
import functools

import tornado.web
from tornado.options import define, options, parse_command_line


def recorded(method):
    @functools.wraps(method)
    def wrapper(self, *args, **kwargs):
        self.settings["steps"].append(method.__name__)
        return method(self, *args, **kwargs)

    return wrapper


class TraceHandler(tornado.web.RequestHandler):
    set_default_headers = recorded(tornado.web.RequestHandler.set_default_headers)
    on_finish = recorded(tornado.web.RequestHandler.on_finish)
    write_error = recorded(tornado.web.RequestHandler.write_error)

    @recorded
    def initialize(self):
        pass

    @recorded
    def prepare(self):
        if "X-Visitor" not in self.request.headers:
            raise tornado.web.HTTPError(403, reason="Say who you are")

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
