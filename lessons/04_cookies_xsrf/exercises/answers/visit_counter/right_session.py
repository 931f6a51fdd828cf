# The signed cookie holds only an id; the count is on the server.
"""Count how often a visitor came, in a cookie that the visitor cannot change."""

import asyncio
import contextlib
import secrets

import tornado.web
from tornado.options import define, options, parse_command_line


VISITS: dict = {}


class CounterHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        session = self.get_signed_cookie("session", max_age_days=31, min_version=2)
        session = session.decode() if session else secrets.token_hex(16)
        visits = VISITS[session] = VISITS.get(session, 0) + 1
        self.set_signed_cookie("session", session, expires_days=31, httponly=True, samesite="Lax")
        self.finish({"visits": visits})

    def visits_so_far(self):
        cookie = self.get_signed_cookie("signed_visits", max_age_days=31)
        try:
            return int(cookie)
        except (TypeError, ValueError):
            return 0


def make_app() -> tornado.web.Application:
    return tornado.web.Application([(r"/", CounterHandler)], cookie_secret=secrets.token_hex(32))


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    make_app().listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
