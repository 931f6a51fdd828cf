"""Return what is wrong with a nickname."""

import asyncio
import contextlib

import tornado.web
from tornado.options import define, options, parse_command_line

class NicknameHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        nickname = self.get_query_argument("nickname")
        problem = ""
        if not nickname:
            problem = "empty"
        elif len(nickname) > 30:
            problem = "too_long"
        elif any(not letter.isprintable() for letter in nickname):
            problem = "not_printable"
        self.write({"problem": problem})


def make_app() -> tornado.web.Application:
    return tornado.web.Application([(r"/nickname", NicknameHandler)])


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    make_app().listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
