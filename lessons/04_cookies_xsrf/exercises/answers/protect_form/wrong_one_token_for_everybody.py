# One token, the same for every visitor, and no cookie to compare it with.
# Told: 403 Forbidden
# Told: valid only with the cookie of the same visitor
"""A page that takes comments, by its form and as JSON. No other site may send them."""

import asyncio
import contextlib
import secrets

import tornado.escape
import tornado.web
from tornado.options import define, options, parse_command_line


TOKEN = secrets.token_hex(16)


class CommentHandler(tornado.web.RequestHandler):
    def prepare(self) -> None:
        if self.request.method in ("POST", "PUT"):
            token = self.get_argument("_xsrf", None) or self.request.headers.get("X-XSRFToken")
            if token != TOKEN:
                raise tornado.web.HTTPError(403)

    def get(self) -> None:
        self.set_cookie("_xsrf", TOKEN, httponly=True, samesite="Lax")
        self.write(
            f'<form method="post"><input type="hidden" name="_xsrf" value="{TOKEN}">'
            '<input name="comment"><button>Send</button></form>'
        )

    def post(self) -> None:
        self.write({"comment": self.get_body_argument("comment")})

    def put(self) -> None:
        self.write({"comment": tornado.escape.json_decode(self.request.body)["comment"]})


def make_app() -> tornado.web.Application:
    return tornado.web.Application([(r"/", CommentHandler)])


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    make_app().listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
