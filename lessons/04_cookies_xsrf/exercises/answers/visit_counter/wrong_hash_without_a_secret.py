# A hash of the value, without a secret: everybody can compute it.
# Told: (signed 32 days ago)
# Told: the JSON  {"visits": 1}
"""Count how often a visitor came, in a cookie that the visitor cannot change."""

import asyncio
import contextlib
import hashlib

import tornado.web
from tornado.options import define, options, parse_command_line


class CounterHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        count, _, digest = self.get_cookie("visits", "").partition("-")
        if not count.isdigit() or digest != hashlib.sha256(count.encode()).hexdigest():
            count = "0"
        visits = int(count) + 1
        digest = hashlib.sha256(str(visits).encode()).hexdigest()
        self.set_cookie("visits", f"{visits}-{digest}", httponly=True)
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
