"""The code of an old tutorial, changed for today's Tornado."""

import asyncio
import contextlib
import os
import secrets

import tornado.web
from tornado.options import define, options, parse_command_line, parse_config_file


class IndexHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.set_signed_cookie("seen", "1")
        first = int(self.get_argument("first", "0"))
        self.write({"subjects": options.subjects[first:]})


async def main() -> None:
    define("port", default=8888, type=int, help="port to listen on")
    define("subjects", default=["python"], type=str, multiple=True, help="of the school")
    define("config", default="", type=str, help="file with options")
    define("debug", default=False, help="restart on changes, send tracebacks")
    parse_command_line(final=False)
    if options.config:
        parse_config_file(options.config, final=False)
    parse_command_line()
    app = tornado.web.Application(
        [(r"/", IndexHandler)],
        debug=options.debug,
        cookie_secret=os.environ.get("COOKIE_SECRET") or secrets.token_hex(32),
    )
    app.listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
