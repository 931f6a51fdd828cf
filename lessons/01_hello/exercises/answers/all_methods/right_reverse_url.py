# The link, with the host, comes from the name of the route, and HEAD is answered, too.
"""Answer POST, PUT, DELETE and OPTIONS, each with its status."""

import asyncio
import contextlib

import tornado.web
from tornado.options import define, options, parse_command_line


class NotesHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.write(self.settings["notes"])

    def post(self) -> None:
        notes, name = self.settings["notes"], self.get_body_argument("name")
        if name in notes:
            raise tornado.web.HTTPError(409)
        notes[name] = self.get_body_argument("text")
        self.set_status(201)
        host = f"{self.request.protocol}://{self.request.host}"
        self.set_header("Location", host + self.reverse_url("note", name))


class NoteHandler(tornado.web.RequestHandler):
    def get(self, name: str) -> None:
        self.check(name)
        self.write(self.settings["notes"][name])

    def head(self, name: str) -> None:
        self.get(name)

    def put(self, name: str) -> None:
        notes, text = self.settings["notes"], self.get_body_argument("text")
        self.set_status(204 if name in notes else 201)
        notes[name] = text

    def delete(self, name: str) -> None:
        self.check(name)
        del self.settings["notes"][name]
        self.set_status(204)

    def options(self, name: str) -> None:
        self.set_status(204)
        self.set_header("Allow", "GET, HEAD, PUT, DELETE, OPTIONS")

    def check(self, name: str) -> None:
        """Answer 404 if there is no note of this name."""
        if name not in self.settings["notes"]:
            raise tornado.web.HTTPError(404)


def make_app() -> tornado.web.Application:
    return tornado.web.Application(
        [(r"/notes", NotesHandler), (r"/notes/(\w+)", NoteHandler, {}, "note")], notes={"one": "Buy milk"}
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
