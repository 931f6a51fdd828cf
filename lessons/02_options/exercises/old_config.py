"""The code of an old tutorial, which no longer works: make it work with today's Tornado."""

import asyncio
import contextlib

import tornado.web
from tornado.options import define, options, parse_command_line, parse_config_file

SETTINGS = {"debug": True, "cookie_secret": "bZJc2sWbQLKos6GkHn/VB9oXwQt8S0R0kRvJ5/xJ89E="}


class IndexHandler(tornado.web.RequestHandler):
    def get(self):
        self.set_signed_cookie("seen", "1")
        first = int(self.get_argument("first", "0"))
        self.write(str(options.subjects[first:]))


async def main() -> None:
    # TODO: make it work, log the requests, and keep the secret and the debug mode out of the code
    define("port", default=8888, type=int, help="port to listen on")
    define("subjects", default=["python"], type=str, multiple=True, help="of the school")
    define("config", default="", type=str, help="file with options")
    options.logging = None
    parse_command_line()
    if options.config:
        parse_config_file(options.config)
    app = tornado.web.Application([(r"/", IndexHandler)], **SETTINGS)
    app.listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
