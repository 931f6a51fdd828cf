# Only get() is for members; post() answers anybody.
# Told: sent      POST /profile
# Told: 403 Forbidden
# Told: post() needs the same decorator
"""A page for members, and a login that leads back to it."""

import asyncio
import contextlib
import re
import secrets
import urllib.parse

import tornado.web
from tornado.options import define, options, parse_command_line


class ProfileHandler(tornado.web.RequestHandler):
    def get_current_user(self):
        name = self.get_signed_cookie("member")
        return name.decode() if name else None

    @tornado.web.authenticated
    def get(self) -> None:
        self.write(f"Profile of {self.current_user}\n")

    def post(self) -> None:
        self.write(f"Profile of {self.current_user}\n")


class LoginHandler(tornado.web.RequestHandler):
    def post(self) -> None:
        self.set_signed_cookie("member", self.get_body_argument("name"), httponly=True)
        target = self.get_query_argument("next", "/")
        good = re.fullmatch(r"/(?!/)[^\\\x00-\x20\x7f]*", target)
        self.redirect(target if good else "/", status=303)


def make_app() -> tornado.web.Application:
    return tornado.web.Application(
        [("/profile", ProfileHandler), ("/login", LoginHandler)],
        cookie_secret=secrets.token_hex(32),
        login_url="/login",
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
