# Cuts from both ends: right for a|b, but the lengths are never looked at.
# Told: 400 Bad Request
# Told: there must be a |
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
            version, key, time, rest = signed.split("|", 3)
            name, value, signature = rest.rsplit("|", 2)
            answer = {
                "version": int(version),
                "key": int(key.split(":", 1)[1]),
                "time": int(time.split(":", 1)[1]),
                "name": name.split(":", 1)[1],
                "value": base64.b64decode(value.split(":", 1)[1]).decode(),
                "signature": signature,
            }
        except (ValueError, IndexError):
            raise tornado.web.HTTPError(400)
        self.write(answer)


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
