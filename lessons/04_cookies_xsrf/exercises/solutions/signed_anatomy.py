"""Read the parts of a signed value by hand. This application has no secret and needs none."""

import asyncio
import base64
import contextlib

import tornado.web
from tornado.options import define, options, parse_command_line


def take_part(text: str) -> tuple[str, str]:
    """Split "5:count|rest" into "count" and "rest"."""
    length, _, rest = text.partition(":")
    end = int(length)
    if rest[end : end + 1] != "|":
        raise ValueError("the length is wrong")
    return rest[:end], rest[end + 1 :]


class DecodeHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        signed = self.get_query_argument("signed")
        try:
            version, _, rest = signed.partition("|")
            key, rest = take_part(rest)
            time, rest = take_part(rest)
            name, rest = take_part(rest)
            value, signature = take_part(rest)
            parts = {"version": int(version), "key": int(key), "time": int(time), "name": name}
            parts["value"] = base64.b64decode(value).decode()
        except ValueError:
            raise tornado.web.HTTPError(400, reason="Not a signed value") from None
        self.write(parts | {"signature": signature})


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
