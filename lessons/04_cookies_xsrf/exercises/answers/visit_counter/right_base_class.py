# A base class keeps a JSON object in the cookie, prepare() reads it.
"""Count how often a visitor came, in a cookie that the visitor cannot change."""

import asyncio
import contextlib
import json
import os
import secrets

import tornado.web
from tornado.options import define, options, parse_command_line


class SessionHandler(tornado.web.RequestHandler):
    def prepare(self) -> None:
        cookie = self.get_signed_cookie("visits", max_age_days=30)
        self.session = json.loads(cookie) if cookie is not None else {}

    def save(self) -> None:
        options = {"httponly": True, "samesite": "Strict", "path": "/"}
        self.set_signed_cookie("visits", json.dumps(self.session), **options)


class CounterHandler(SessionHandler):
    def get(self) -> None:
        self.session["visits"] = self.session.get("visits", 0) + 1
        self.save()
        self.write(json.dumps({"visits": self.session["visits"]}) + "\n")


def make_app() -> tornado.web.Application:
    secret = os.environ.get("COOKIE_SECRET") or secrets.token_hex(32)
    return tornado.web.Application([(r"/", CounterHandler)], cookie_secret=secret)


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    make_app().listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
