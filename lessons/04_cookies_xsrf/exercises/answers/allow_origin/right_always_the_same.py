# The headers name the one origin in each response; the browser compares.
"""Allow pages of one other origin to read and change notes: CORS with a preflight."""

import asyncio
import contextlib

import tornado.web
from tornado.options import define, options, parse_command_line

ALLOWED = "https://shop.example"


class NoteHandler(tornado.web.RequestHandler):
    def set_default_headers(self) -> None:
        self.set_header("Access-Control-Allow-Origin", ALLOWED)
        self.set_header("Access-Control-Allow-Credentials", "true")

    def options(self, name: str) -> None:
        self.set_status(204)
        self.set_header("Access-Control-Allow-Methods", "GET, PUT")
        self.set_header("Access-Control-Allow-Headers", "Content-Type")

    def get(self, name: str) -> None:
        if name not in self.settings["notes"]:
            raise tornado.web.HTTPError(404)
        self.write({"text": self.settings["notes"][name], "user": self.get_cookie("user")})

    def put(self, name: str) -> None:
        self.settings["notes"][name] = self.request.body.decode()
        self.set_status(204)


def make_app() -> tornado.web.Application:
    return tornado.web.Application([(r"/notes/(\w+)", NoteHandler)], notes={"one": "Buy milk"})


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    make_app().listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
