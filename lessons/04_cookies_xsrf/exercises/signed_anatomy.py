"""Read the parts of a signed value by hand. This application has no secret and needs none."""

import asyncio
import contextlib

import tornado.web
from tornado.options import define, options, parse_command_line


class DecodeHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        signed = self.get_query_argument("signed")
        # TODO: find the six parts of "2|1:0|10:1800000000|5:count|4:NQ==|6d5d..."; FURTHER.md,
        # step 1, has their names. The number in front of a part is its length: use that, not
        # the next "|", because a name may contain one. No signed value: status 400.
        self.write(
            {"version": 0, "key": 0, "time": 0, "name": "", "value": "", "signature": signed}
        )


def make_app() -> tornado.web.Application:
    return tornado.web.Application([(r"/decode", DecodeHandler)])


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    make_app().listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
