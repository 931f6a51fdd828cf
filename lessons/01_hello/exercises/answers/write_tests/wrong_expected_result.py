# A test expects a result that is not rounded.
# Told: test_a_fraction
# Told: 37.77
# Told: the application is right
"""Write the tests of an application that converts temperatures."""

import asyncio
import contextlib
import json

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

    def test_boiling_water(self) -> None:
        response = self.fetch("/celsius?fahrenheit=212")
        self.assertEqual(response.code, 200)
        self.assertEqual(json.loads(response.body), {"celsius": 100.0})

    def test_a_fraction(self) -> None:
        response = self.fetch("/celsius?fahrenheit=100")
        self.assertEqual(json.loads(response.body), {"celsius": 37.77777777777778})

    def test_below_zero(self) -> None:
        response = self.fetch("/celsius?fahrenheit=-40")
        self.assertEqual(json.loads(response.body), {"celsius": -40.0})

    def test_the_value_is_missing(self) -> None:
        self.assertEqual(self.fetch("/celsius").code, 400)

    def test_the_value_is_no_number(self) -> None:
        self.assertEqual(self.fetch("/celsius?fahrenheit=warm").code, 400)


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    make_app().listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
