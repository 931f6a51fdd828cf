"""The code of an old tutorial, which no longer works: make it work with today's Tornado."""

import asyncio
import contextlib

import tornado.web
from tornado.options import define, options, parse_command_line


class ProfileHandler(tornado.web.RequestHandler):
    def initialize(self, database):
        self.database = database

    # TODO: make it work. (The tutorial also has @tornado.web.asynchronous, which was removed.)
    def get(self):
        user = self.get_argument("user")
        self.write([user, self.database[user]])

    def post(self):
        if self.request.headers["Content-Type"].startswith("application/json"):
            self.send_error("415")
        self.database[self.get_body_argument("user")] = self.get_body_argument("job")
        self.redirect("/profile?user=" + self.get_body_argument("user"))


def make_app() -> tornado.web.Application:
    return tornado.web.Application(
        [
            (r"/profile", ProfileHandler, {"database": {"ada": "author"}}),
            (r"/old", tornado.web.RedirectHandler, {"url": "/profile", "Permanent": False}),
        ]
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
