# set_cookie(max_age=0): Tornado leaves the 0 away, so the cookie is set and stays.
# Told: received  Set-Cookie: member=
# Told: self.clear_cookie
"""Log in at /club, and out again at /club/logout."""

import asyncio
import contextlib
import secrets

import tornado.web
from tornado.options import define, options, parse_command_line


class ClubHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.write({"member": self.get_signed_cookie("member") is not None})

    def post(self) -> None:
        self.set_signed_cookie("member", "ada", path="/club", httponly=True)


class LogoutHandler(tornado.web.RequestHandler):
    def post(self) -> None:
        self.set_cookie("member", "", path="/club", max_age=0)
        self.redirect("/club", status=303)


def make_app() -> tornado.web.Application:
    routes = [("/club", ClubHandler), ("/club/logout", LogoutHandler)]
    return tornado.web.Application(routes, cookie_secret=secrets.token_hex(32))


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    make_app().listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
