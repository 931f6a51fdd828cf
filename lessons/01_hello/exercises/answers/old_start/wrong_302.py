# The redirect after the form is 302.
# Told: 302 Found
# Told: 303 See Other
# Told: status=303
"""The code of an old tutorial, changed for today's Tornado."""

import asyncio
import contextlib
import json

import tornado.web
from tornado.httputil import url_concat
from tornado.options import define, options, parse_command_line


class ProfileHandler(tornado.web.RequestHandler):
    def initialize(self, database: dict[str, str]) -> None:
        self.database = database

    def get(self) -> None:
        user = self.get_query_argument("user")
        if user not in self.database:
            raise tornado.web.HTTPError(404)
        self.set_header("Content-Type", "application/json")
        self.write(json.dumps([user, self.database[user]]))

    def post(self) -> None:
        if self.request.headers.get("Content-Type", "").startswith("application/json"):
            raise tornado.web.HTTPError(415)
        user, job = self.get_body_argument("user"), self.get_body_argument("job")
        self.database[user] = job
        self.redirect(url_concat("/profile", {"user": user}))


def make_app() -> tornado.web.Application:
    return tornado.web.Application(
        [
            (r"/profile", ProfileHandler, {"database": {"ada": "author"}}),
            (r"/old", tornado.web.RedirectHandler, {"url": "/profile", "permanent": False}),
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
