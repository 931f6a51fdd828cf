"""Open a private chat, unless one of the two has blocked the other."""

import asyncio
import contextlib

import tornado.web
from tornado.options import define, options, parse_command_line


class PrivateHandler(tornado.web.RequestHandler):
    def post(self) -> None:
        user, other = self.get_query_argument("user"), self.get_query_argument("other")
        # TODO: one name for the pair, and nobody who is blocked.
        self.write({"pair": f"TODO {user} {other}"})


def make_app() -> tornado.web.Application:
    return tornado.web.Application([(r"/private", PrivateHandler)], blocked=set())


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    make_app().listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
