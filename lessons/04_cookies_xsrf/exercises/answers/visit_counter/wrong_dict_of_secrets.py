# A dict of secrets, but the old format of cookies is not refused: an AssertionError.
# Told: AssertionError
# Told: pass min_version=2
"""Count how often a visitor came, in a cookie that the visitor cannot change."""

import asyncio
import contextlib

import tornado.web
from tornado.options import define, options, parse_command_line


class CounterHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        value = self.get_signed_cookie("visits")
        if value is None:
            visits = 1
        else:
            visits = int(value.decode()) + 1
        self.set_signed_cookie("visits", str(visits), httponly=True, samesite="Lax")
        self.write({"visits": visits})


def make_app() -> tornado.web.Application:
    keys = {1: "an old secret", 2: "a new secret"}
    return tornado.web.Application([(r"/", CounterHandler)], cookie_secret=keys, key_version=2)


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    make_app().listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
