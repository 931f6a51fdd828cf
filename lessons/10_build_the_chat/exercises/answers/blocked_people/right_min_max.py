"""Open a private chat, unless one of the two has blocked the other."""

import asyncio
import contextlib

import tornado.web
from tornado.options import define, options, parse_command_line

class PrivateHandler(tornado.web.RequestHandler):
    def post(self) -> None:
        user, other = self.get_query_argument("user"), self.get_query_argument("other")
        if user == other:
            raise tornado.web.HTTPError(404)
        if {(user, other), (other, user)} & self.settings["blocked"]:
            raise tornado.web.HTTPError(403)
        self.write({"pair": f"{min(user, other)}:{max(user, other)}"})


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
