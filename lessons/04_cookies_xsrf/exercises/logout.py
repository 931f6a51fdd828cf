"""Log in at /club, and out again at /club/logout."""

import asyncio
import contextlib
import secrets

import tornado.web
from tornado.options import define, options, parse_command_line


# xsrf_cookies, secure and samesite are left out here, to keep the file short.
class ClubHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.write({"member": self.get_signed_cookie("member") is not None})

    def post(self) -> None:
        self.set_signed_cookie("member", "ada", path="/club", httponly=True)


# TODO: the logout. It deletes the cookie, then redirects to /club with status 303. Which HTTP
# method must it have, so that no picture on another page logs members out?


def make_app() -> tornado.web.Application:
    routes = [("/club", ClubHandler)]
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
