"""A page that takes comments, by its form and as JSON. No other site may send them."""

import asyncio
import contextlib

import tornado.escape
import tornado.web
from tornado.options import define, options, parse_command_line


class CommentHandler(tornado.web.RequestHandler):
    def get(self) -> None:  # TODO 2: put the token into the form
        self.write('<form method="post"><input name="comment"><button>Send</button></form>')

    def post(self) -> None:
        self.write({"comment": self.get_body_argument("comment")})

    def put(self) -> None:
        self.write({"comment": tornado.escape.json_decode(self.request.body)["comment"]})


def make_app() -> tornado.web.Application:
    # TODO 1: require a token. TODO 3: make its cookie HttpOnly and SameSite=Lax.
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
