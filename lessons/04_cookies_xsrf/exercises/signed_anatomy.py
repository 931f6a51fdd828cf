"""Take a signed value apart by hand. Note that this application has no secret: it needs none."""

import asyncio
import contextlib
import signal

import tornado.web
from tornado.options import define, options, parse_command_line


class DecodeHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        signed = self.get_query_argument("signed")
        # TODO: find the six parts of "2|1:0|10:1800000000|5:count|4:NQ==|6d5d..."; README.md,
        # step 2, has their names. The number in front of a part is its length: trust that,
        # not the next "|", for a name may hold one. What is no signed value: status 400.
        self.write(
            {"version": 0, "key": 0, "time": 0, "name": "", "value": "", "signature": signed}
        )


def make_app() -> tornado.web.Application:
    return tornado.web.Application([(r"/decode", DecodeHandler)])


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    make_app().listen(options.port)
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))  # as Ctrl-C
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
