"""A body in JSON: decode it once, in prepare(), and answer 400 if it is not JSON.

Run it:  python3 learn.py run 01/json_body
"""

import asyncio
import contextlib
from typing import Any

import tornado.escape
import tornado.web
from tornado.options import define, options, parse_command_line


class JsonHandler(tornado.web.RequestHandler):
    """The base class of handlers that accept JSON: self.json is the decoded body, or None."""

    json: Any = None

    def prepare(self) -> None:
        # A client may leave the header out, so there has to be a default.
        if self.request.headers.get("Content-Type", "").startswith("application/json"):
            try:
                self.json = tornado.escape.json_decode(self.request.body)
            except ValueError:
                raise tornado.web.HTTPError(400, reason="The body is not JSON") from None


class EchoHandler(JsonHandler):
    def get(self) -> None:
        self.write("POST some JSON here\n")

    def post(self) -> None:
        self.write({"received": self.json})


def make_app() -> tornado.web.Application:
    """Make an application in which POST / answers with the JSON that it received."""
    return tornado.web.Application([(r"/", EchoHandler)])


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    make_app().listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
