"""Answer POST, PUT, DELETE and OPTIONS, each with its status."""

import asyncio
import contextlib

import tornado.web
from tornado.options import define, options, parse_command_line


class NotesHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.write(self.settings["notes"])

    # TODO: POST with the fields name and text: 201 with Location, or 409


class NoteHandler(tornado.web.RequestHandler):
    def get(self, name: str) -> None:
        if name not in self.settings["notes"]:
            raise tornado.web.HTTPError(404)
        self.write(self.settings["notes"][name])

    # TODO: PUT with the field text: 201 or 204. DELETE: 204 or 404. OPTIONS: 204 with Allow


def make_app() -> tornado.web.Application:
    return tornado.web.Application(
        [(r"/notes", NotesHandler), (r"/notes/(\w+)", NoteHandler)], notes={"one": "Buy milk"}
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
