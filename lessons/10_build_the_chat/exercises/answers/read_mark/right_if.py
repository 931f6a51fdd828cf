"""Keep the read mark of a member."""

import asyncio
import contextlib

import tornado.web
from tornado.options import define, options, parse_command_line

class ReadHandler(tornado.web.RequestHandler):
    def post(self) -> None:
        user, seq = self.get_query_argument("user"), int(self.get_query_argument("seq"))
        head, marks = self.settings["head"], self.settings["marks"]
        seq = head if seq > head else seq
        if seq > marks.setdefault(user, 0):
            marks[user] = seq
        self.write({"read": marks[user], "unread": head - marks[user]})


def make_app() -> tornado.web.Application:
    return tornado.web.Application([(r"/read", ReadHandler)], head=0, marks={})


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    make_app().listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
