# The names that Tornado had before 6.3: get_secure_cookie, set_secure_cookie.
"""Count how often a visitor came, in a cookie that the visitor cannot change."""

import asyncio
import contextlib

import tornado.web
from tornado.options import define, options, parse_command_line


class CounterHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        visits = self.get_secure_cookie("visits")
        if visits:
            visits = int(visits) + 1
        else:
            visits = 1
        self.set_secure_cookie("visits", str(visits), expires_days=None, HttpOnly=True)
        self.write(dict(visits=visits))


def make_app() -> tornado.web.Application:
    settings = dict(cookie_secret="__a_secret_of_my_own__", debug=False)
    return tornado.web.Application([(r"/", CounterHandler)], **settings)


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    make_app().listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
