# Tornado's own parser does the cutting.
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
            if tornado.web._get_version(signed.encode()) != 2:
                raise ValueError
            key, time, name, value, signature = tornado.web._decode_fields_v2(signed.encode())
            value = base64.b64decode(value).decode()
            key, time = int(key), int(time)
        except Exception:
            raise tornado.web.HTTPError(400, reason="Not a signed value")
        names = ("version", "key", "time", "name", "value", "signature")
        self.write(dict(zip(names, (2, key, time, name.decode(), value, signature.decode()))))


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
