# Two applications, chosen by an if.
"""Show tracebacks to the developer, and to nobody else."""

import asyncio
import contextlib

import tornado.web
from tornado.options import define, options, parse_command_line


class BoomHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        raise RuntimeError("no answer from db.internal:5432")


def make_app(debug: bool) -> tornado.web.Application:
    routes = [(r"/boom", BoomHandler)]
    if debug:
        return tornado.web.Application(routes, debug=True)
    return tornado.web.Application(routes)


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    options.define("debug", default=False, help="show tracebacks")
    parse_command_line()
    debug = bool(options.debug)
    make_app(debug).listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
