"""Hash a password without stopping the server: while GET /hash works, GET / is answered."""

import asyncio
import contextlib
import functools
import hashlib

import tornado.web
from tornado.options import define, options, parse_command_line

SLOW_HASH = functools.partial(hashlib.pbkdf2_hmac, "sha256", salt=b"salt", iterations=4_000_000)


class HashHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.write(self.settings["hash"](b"secret").hex())  # TODO: compute it in a thread


class PingHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.write("pong\n")


def make_app(hash=SLOW_HASH) -> tornado.web.Application:
    return tornado.web.Application([(r"/", PingHandler), (r"/hash", HashHandler)], hash=hash)


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    make_app().listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
