# The name is read in prepare().
"""The guest page of an old tutorial, which no longer works: make it work with today's Tornado."""

import asyncio
import contextlib

import tornado.web
from tornado.escape import xhtml_escape
from tornado.options import define, options, parse_command_line


class GuestHandler(tornado.web.RequestHandler):
    def prepare(self):
        name = self.get_signed_cookie("name")
        self.name = "stranger" if name is None else str(name, "utf-8")

    async def get(self):
        await self.finish(
            f"<h1>Hello {xhtml_escape(self.name)}</h1><form method=post>"
            f"{self.xsrf_form_html()}<input name=name></form>"
        )

    async def post(self):
        self.set_signed_cookie("name", self.get_body_argument("name"), httponly=True)
        self.redirect(self.request.path)


def make_app():
    settings = {"cookie_secret": "MjAxMCBhbmQgb2xkZXI=", "xsrf_cookies": True}
    return tornado.web.Application([("/guests", GuestHandler)], **settings)


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    make_app().listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
