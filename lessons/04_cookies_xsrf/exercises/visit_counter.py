"""Count how often a visitor came, in a cookie that the visitor cannot change."""

import asyncio
import contextlib

import tornado.web
from tornado.options import define, options, parse_command_line


class CounterHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        # TODO: anybody can send visits=1000 (or visits=many: a 500). Sign the cookie, and count
        # from 1 again if the signature is not valid. Scripts of the page must not see the cookie.
        visits = int(self.get_cookie("visits", "0")) + 1
        self.set_cookie("visits", str(visits))
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
