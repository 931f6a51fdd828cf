# prepare() sets current_user; the strangers are sent away without the decorator.
"""A page for members, and a login that leads back to it."""

import asyncio
import contextlib
import re
import secrets
import urllib.parse

import tornado.web
from tornado.options import define, options, parse_command_line


class ProfileHandler(tornado.web.RequestHandler):
    async def prepare(self):
        cookie = self.get_signed_cookie("member", max_age_days=7)
        self.current_user = cookie.decode() if cookie is not None else None
        if self.current_user is None:
            if self.request.method not in ("GET", "HEAD"):
                self.set_status(403)
                self.finish("Please log in\n")
                return
            query = urllib.parse.urlencode({"next": self.request.uri})
            self.redirect("/login?" + query)

    async def get(self):
        self.write(f"Profile of {self.current_user}\n")

    async def post(self):
        await self.get()


class LoginHandler(tornado.web.RequestHandler):
    def post(self) -> None:
        self.set_signed_cookie("member", self.get_body_argument("name"), httponly=True)
        target = self.get_query_argument("next", None)
        if not target or not re.match(r"^/[A-Za-z0-9_?=&/-]*$", target) or "//" in target:
            target = "/"
        self.redirect(target, status=302)


def make_app() -> tornado.web.Application:
    return tornado.web.Application(
        [("/profile", ProfileHandler), ("/login", LoginHandler)],
        cookie_secret=secrets.token_hex(32),
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
