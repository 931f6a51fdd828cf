# The value is read as Latin-1, so umlauts are broken.
# Told: Grüße, 世界
# Told: base64 of UTF-8
"""Take a signed value apart by hand. Note that this application has no secret: it needs none."""

import asyncio
import base64
import contextlib

import tornado.web
from tornado.options import define, options, parse_command_line


class DecodeHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        signed = self.get_query_argument("signed")
        try:
            version, rest = signed.split("|", 1)
            parts = []
            for _ in range(4):
                length, rest = rest.split(":", 1)
                part, bar, rest = rest[: int(length)], rest[int(length)], rest[int(length) + 1 :]
                if bar != "|":
                    raise ValueError
                parts.append(part)
            self.write(
                {
                    "version": int(version),
                    "key": int(parts[0]),
                    "time": int(parts[1]),
                    "name": parts[2],
                    "value": base64.b64decode(parts[3]).decode("latin-1"),
                    "signature": rest,
                }
            )
        except (ValueError, IndexError):
            raise tornado.web.HTTPError(400)


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
