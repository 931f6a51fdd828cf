"""From a template to a response: render, render_string, and another template engine.

Run it:  python3 learn.py run 03/rendering
"""

import asyncio
import contextlib
import string
from pathlib import Path

import tornado.escape
import tornado.web
from tornado.options import define, options, parse_command_line

HERE = Path(__file__).parent


class RenderHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        # Load, fill, send: render() ends the response, so a write() after it would fail.
        self.render("ticket.html", where="by render()")


class TwiceHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        first = self.render_string("print/ticket.html", where="first")  # bytes; nothing is sent
        second = self.render_string("print/ticket.html", where="second")
        self.write(first + second)


class OtherEngineHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        # Any engine that makes text is possible. Pass it what Tornado's own adds, such as
        # static_url, the translations, the user; and escape the values yourself.
        page = string.Template("<p>For $guest, <a href='$home'>home</a></p>\n")
        guest = tornado.escape.xhtml_escape(self.get_query_argument("guest", "you"))
        self.write(page.substitute(guest=guest, home=self.reverse_url("start")))


def make_app() -> tornado.web.Application:
    """Make an application with a ticket, two tickets in one response, and another engine."""
    return tornado.web.Application(
        [
            (r"/", RenderHandler, {}, "start"),
            (r"/twice", TwiceHandler),
            (r"/other", OtherEngineHandler),
        ],
        template_path=HERE / "templates",
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
