"""Send the browser elsewhere: after a form (303), for a moved page (301, 302).

Run it:  python3 learn.py run 01/redirects
"""

import asyncio
import contextlib
import signal

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
        # 303 makes the browser GET the page: a reload does not sign a second time.
        self.redirect("/", status=303)


class LatestHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.redirect("/")  # 302: for now; permanent=True would be 301


def make_app() -> tornado.web.Application:
    """A guest book at /, and two old addresses that lead to it."""
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
    make_app().listen(options.port)
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))  # as Ctrl-C
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
