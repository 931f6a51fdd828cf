# A template from a string; {% module %} puts the field in.
"""The guest page of an old tutorial, which no longer works: make it work with today's Tornado."""

import asyncio
import contextlib

import tornado.escape
import tornado.web
from tornado.template import DictLoader
from tornado.options import define, options, parse_command_line

PAGE = """<h1>Hello {{ name }}</h1>
<form method="post"><input name="name">{% module xsrf_form_html() %}</form>"""


class GuestHandler(tornado.web.RequestHandler):
    def get_current_user(self):
        return tornado.escape.to_unicode(self.get_signed_cookie("name"))

    def get(self):
        self.render("page.html", name=self.current_user or "stranger")

    def post(self):
        self.set_signed_cookie("name", self.get_argument("name"), httponly=True, samesite="Lax")
        self.redirect("/guests", status=302)


def make_app():
    return tornado.web.Application(
        [("/guests", GuestHandler)],
        template_loader=DictLoader({"page.html": PAGE}),
        cookie_secret="another secret",
        xsrf_cookies=True,
        xsrf_cookie_kwargs={"httponly": True},
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
