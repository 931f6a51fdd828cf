# Debug mode is on by default.
# Told: a body without 'Traceback'
# Told: advice    main(): the option is on by default
"""Show tracebacks to the developer, and to nobody else."""

import asyncio
import contextlib

import tornado.web
from tornado.options import define, options, parse_command_line


class BoomHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        raise RuntimeError("no answer from db.internal:5432")


def make_app(debug: bool) -> tornado.web.Application:
    return tornado.web.Application([(r"/boom", BoomHandler)], debug=debug)


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    define("debug", default=True)
    parse_command_line()
    make_app(debug=options.debug).listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
