# The settings in a dict, and a subclass that checks the origin too.
"""A page that takes comments, by its form and as JSON. No other site may send them."""

import asyncio
import contextlib

import tornado.escape
import tornado.web
from tornado.options import define, options, parse_command_line


class BaseHandler(tornado.web.RequestHandler):
    def prepare(self) -> None:
        self.set_header("Cache-Control", "no-store")
        self.set_header("X-Frame-Options", "DENY")


class CommentHandler(BaseHandler):
    def get(self):
        self.write('<form method="post">')
        self.write(self.xsrf_form_html())
        self.write('<input name="comment"><button>Send</button></form>')

    def post(self) -> None:
        self.write({"comment": self.get_body_argument("comment")})

    def put(self) -> None:
        self.write({"comment": tornado.escape.json_decode(self.request.body)["comment"]})


def make_app() -> tornado.web.Application:
    settings = {
        "xsrf_cookies": True,
        "xsrf_cookie_kwargs": {"httponly": True, "samesite": "Lax", "expires_days": 1},
        "cross_origin_protection": True,
    }
    return tornado.web.Application([("/", CommentHandler)], **settings)


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    make_app().listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
