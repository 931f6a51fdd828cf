# create_signed_value() and decode_signed_value() around a plain cookie.
"""Count how often a visitor came, in a cookie that the visitor cannot change."""

import asyncio
import contextlib
import secrets

import tornado.web
from tornado.options import define, options, parse_command_line


SECRET = secrets.token_bytes(32)


class CounterHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        cookie = self.get_cookie("visits")
        known = tornado.web.decode_signed_value(SECRET, "visits", cookie, max_age_days=31)
        visits = 1 + (int(known) if known else 0)
        signed = tornado.web.create_signed_value(SECRET, "visits", str(visits))
        self.set_cookie("visits", signed, httponly=True, max_age=31 * 24 * 3600)
        self.write({"visits": visits})


def make_app() -> tornado.web.Application:
    return tornado.web.Application([(r"/", CounterHandler)])


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    make_app().listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
