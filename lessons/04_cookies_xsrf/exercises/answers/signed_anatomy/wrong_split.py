# Cuts at each |, so a name that holds one is cut in two.
# Told: 5:a|b|c
# Told: Count, do not split
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
            version, key, time, name, value, signature = signed.split("|")
            answer = {
                "version": int(version),
                "key": int(key.split(":")[1]),
                "time": int(time.split(":")[1]),
                "name": name.split(":")[1],
                "value": base64.b64decode(value.split(":")[1]).decode(),
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
