"""A page for members, and a login that leads back to it."""

import asyncio
import contextlib

import tornado.web
from tornado.options import define, options, parse_command_line


class ProfileHandler(tornado.web.RequestHandler):
    # TODO 1: current_user is the name in the signed cookie "member". TODO 2: members only.
    def get(self) -> None:
        self.write(f"Profile of {self.current_user}\n")

    post = get


# xsrf_cookies, secure and samesite are left out here, to keep the file short.
class LoginHandler(tornado.web.RequestHandler):
    def post(self) -> None:
        self.set_signed_cookie("member", self.get_body_argument("name"), httponly=True)
        target = self.get_query_argument("next", "/")  # TODO 4: not to other hosts
        self.redirect(target, status=303)


def make_app() -> tornado.web.Application:  # TODO 3: two settings are missing
    return tornado.web.Application([("/profile", ProfileHandler), ("/login", LoginHandler)])


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    make_app().listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
