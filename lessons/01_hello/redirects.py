"""Redirects: after a form (303), and for a page that has moved (301, 302).

Run it:  python3 learn.py run 01/redirects
"""

import asyncio
import contextlib

import tornado.escape
import tornado.web
from tornado.options import define, options, parse_command_line

PAGE = """<!doctype html>
<title>Guest book</title>
<form method="post"><input name="guest" required> <button>Sign</button></form>
<p>Guests: {guests}</p>
"""


class GuestBookHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        guests = ", ".join(self.settings["guests"]) or "none yet"
        self.write(PAGE.format(guests=tornado.escape.xhtml_escape(guests)))

    def post(self) -> None:
        self.settings["guests"].append(self.get_body_argument("guest"))
        # 303 makes the browser open "/" with GET, so a reload does not send the form again.
        self.redirect("/", status=303)


class LatestHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.redirect("/")  # 302, temporary; permanent=True would send 301


def make_app() -> tornado.web.Application:
    """Make an application with a guest book at /, and two old paths that redirect to it."""
    return tornado.web.Application(
        [
            (r"/", GuestBookHandler),
            (r"/latest", LatestHandler),
            (r"/guestbook", tornado.web.RedirectHandler, {"url": "/", "permanent": True}),
        ],
        guests=[],
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
