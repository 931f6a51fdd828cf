"""JSON sent by fetch() from a static page: the script copies the token from the cookie to a header.

Run it:  python3 learn.py run 04/xsrf_fetch
"""

import asyncio
import contextlib
from pathlib import Path

import tornado.escape
import tornado.web
from tornado.options import define, options, parse_command_line

HERE = Path(__file__).parent


class PageHandler(tornado.web.StaticFileHandler):
    def prepare(self) -> None:
        _ = self.xsrf_token  # reading it sets the cookie; without it the page has no token


class NotesHandler(tornado.web.RequestHandler):
    def post(self) -> None:
        # The token cannot be a field of the JSON: Tornado looks for it in the form, the
        # query and the headers X-XSRFToken and X-CSRFToken.
        note = tornado.escape.json_decode(self.request.body)["note"]
        self.settings["notes"].append(note)
        self.write({"notes": self.settings["notes"]})


def make_app() -> tornado.web.Application:
    """Make an application with a static page at / whose script sends notes to /notes."""
    return tornado.web.Application(
        [
            (r"/()", PageHandler, {"path": HERE / "static", "default_filename": "notes.html"}),
            (r"/notes", NotesHandler),
        ],
        xsrf_cookies=True,
        xsrf_cookie_kwargs={"samesite": "Lax"},  # no httponly: the script of the page must read it
        static_path=HERE / "static",
        notes=[],
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
