# The redirect after the form has the status 303, as in lesson 01.
"""The guest page of an old tutorial, which no longer works: make it work with today's Tornado."""

import asyncio
import contextlib

import tornado.web
from tornado.escape import xhtml_escape
from tornado.options import define, options, parse_command_line


class GuestHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        name = (self.get_signed_cookie("name") or b"stranger").decode()
        self.write(f"<h1>Hello {xhtml_escape(name)}</h1>")
        self.write(f'<form method="post"><input name="name">{self.xsrf_form_html()}</form>')

    def post(self) -> None:
        name = self.get_body_argument("name")
        self.set_signed_cookie("name", name, httponly=True)
        self.redirect("/guests", status=303)


def make_app() -> tornado.web.Application:
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
