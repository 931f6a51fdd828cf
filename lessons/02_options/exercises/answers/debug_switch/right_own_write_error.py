# write_error sends the traceback itself when the setting is on.
"""Show tracebacks to the developer, and to nobody else."""

import asyncio
import contextlib
import traceback

import tornado.web
from tornado.options import define, options, parse_command_line


class BoomHandler(tornado.web.RequestHandler):
    def write_error(self, status_code, **kwargs):
        if not self.settings["show_tracebacks"] or "exc_info" not in kwargs:
            super().write_error(status_code, **kwargs)
            return
        self.set_header("content-type", "text/plain; charset=utf-8")
        self.finish("".join(traceback.format_exception(*kwargs["exc_info"])))

    def get(self) -> None:
        raise RuntimeError("no answer from db.internal:5432")


def make_app(debug: bool) -> tornado.web.Application:
    return tornado.web.Application([(r"/boom", BoomHandler)], show_tracebacks=debug)


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    define("debug", default=False)
    parse_command_line()
    make_app(debug=options.debug).listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
