"""Write the tests of an application that converts temperatures."""

import asyncio
import contextlib

import tornado.testing
import tornado.web
from tornado.options import define, options, parse_command_line


class CelsiusHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        try:
            fahrenheit = float(self.get_query_argument("fahrenheit"))
        except ValueError:
            raise tornado.web.HTTPError(400) from None
        self.write({"celsius": round((fahrenheit - 32) / 1.8, 1)})


def make_app() -> tornado.web.Application:
    return tornado.web.Application([(r"/celsius", CelsiusHandler)])


class CelsiusTest(tornado.testing.AsyncHTTPTestCase):
    def get_app(self) -> tornado.web.Application:
        return make_app()

    # TODO: tests of a result with a fraction, a result below zero, a missing and a wrong value


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    make_app().listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
