# The old names of the methods are still there.
"""The guest page of an old tutorial, which no longer works: make it work with today's Tornado."""

import asyncio
import contextlib

import tornado.escape
import tornado.web
from tornado.options import define, options, parse_command_line


class GuestHandler(tornado.web.RequestHandler):
    def get(self):
        cookie = self.get_secure_cookie("name")
        name = cookie.decode("utf-8") if cookie else "stranger"
        self.write("<h1>Hello " + tornado.escape.xhtml_escape(name) + "</h1>")
        field = self.xsrf_form_html()
        self.write('<form method="post"><input name="name">' + field + "</form>")

    def post(self):
        self.set_secure_cookie("name", self.get_argument("name"), httponly=True)
        self.redirect("/guests")


def make_app():
    return tornado.web.Application(
        [("/guests", GuestHandler)], cookie_secret="MjAxMCBhbmQgb2xkZXI=", xsrf_cookies=True
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
