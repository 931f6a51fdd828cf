# A base class, get_login_url() instead of the setting, an absolute Location.
"""A page for members, and a login that leads back to it."""

import asyncio
import contextlib
import re
import secrets
import urllib.parse

import tornado.web
from tornado.options import define, options, parse_command_line


class BaseHandler(tornado.web.RequestHandler):
    def get_current_user(self):
        return (self.get_signed_cookie("member") or b"").decode()

    def get_login_url(self):
        return "/login"


class ProfileHandler(BaseHandler):
    def show(self) -> None:
        self.write(f"Profile of {self.current_user}\n")

    @tornado.web.authenticated
    def get(self) -> None:
        self.show()

    @tornado.web.authenticated
    def post(self) -> None:
        self.show()


class LoginHandler(tornado.web.RequestHandler):
    def post(self) -> None:
        self.set_signed_cookie("member", self.get_body_argument("name"), httponly=True)
        target = self.get_query_argument("next", "/")
        parts = urllib.parse.urlsplit(target)
        outside = parts.scheme or parts.netloc or not parts.path.startswith("/")
        if outside or target.startswith("//") or "\\" in target or not target.isprintable():
            target = "/"
        self.redirect(f"{self.request.protocol}://{self.request.host}{target}", status=303)


def make_app() -> tornado.web.Application:
    settings = {"cookie_secret": {0: secrets.token_hex(32)}, "key_version": 0}
    routes = [("/profile", ProfileHandler), ("/login", LoginHandler)]
    return tornado.web.Application(routes, **settings)


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    make_app().listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
