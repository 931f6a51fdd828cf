"""Parts of a response: text, JSON, headers, a status, a stream, and escaped input.

Run it:  python3 learn.py run 01/response_output
"""

import asyncio
import contextlib
import json

import tornado.escape
import tornado.web
from tornado.options import define, options, parse_command_line


class TextHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.write("Each call of write() adds to the response. ")
        self.write("Tornado sends it at the end.\n")


class ObjectHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.write({"planet": "Mars", "moons": 2})


class ListHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.set_header("Content-Type", "application/json")
        self.write(json.dumps(["Phobos", "Deimos"]))


class CreatedHandler(tornado.web.RequestHandler):
    def post(self) -> None:
        self.set_status(201)
        self.set_header("Location", "/object")


class StreamHandler(tornado.web.RequestHandler):
    async def get(self) -> None:
        for count in "321":
            self.write(f"{count}\n")
            await self.flush()  # send it now, and wait until the network has accepted it


class EscapeHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        name = self.get_query_argument("name", "you")
        self.write(f"<p>Hello, {tornado.escape.xhtml_escape(name)}</p>\n")


def make_app() -> tornado.web.Application:
    """Make an application with a page for each kind of response."""
    return tornado.web.Application(
        [
            (r"/", TextHandler),
            (r"/object", ObjectHandler),
            (r"/list", ListHandler),
            (r"/created", CreatedHandler),
            (r"/stream", StreamHandler),
            (r"/escape", EscapeHandler),
        ]
    )


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    make_app().listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
