# The server believes the cookie for a year.
# Told: (signed 32 days ago)
# Told: the JSON  {"visits": 1}
# Told: Leave max_age_days at its default, 31
"""Count how often a visitor came, in a cookie that the visitor cannot change."""

import asyncio
import contextlib
import secrets

import tornado.web
from tornado.options import define, options, parse_command_line


class CounterHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        visits = int(self.get_signed_cookie("visits", max_age_days=365) or 0) + 1
        self.set_signed_cookie("visits", str(visits), httponly=True)
        self.write({"visits": visits})


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
