# One loop with find() and slices; errors through set_status().
"""Take a signed value apart by hand. Note that this application has no secret: it needs none."""

import asyncio
import contextlib
import base64

import tornado.web
from tornado.options import define, options, parse_command_line


class DecodeHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        signed = self.get_query_argument("signed")
        try:
            answer = self.take_apart(signed)
        except ValueError as error:
            self.set_status(400)
            self.finish(f"no signed value: {error}\n")
            return
        self.write(answer)

    def take_apart(self, signed):
        if not signed.startswith("2|"):
            raise ValueError("version")
        position = 2
        parts = []
        while len(parts) < 4:
            colon = signed.index(":", position)
            end = colon + 1 + int(signed[position:colon])
            if signed[end : end + 1] != "|":
                raise ValueError(f"no | at {end}")
            parts.append(signed[colon + 1 : end])
            position = end + 1
        key, time, name, value = parts
        return {
            "version": 2,
            "key": int(key),
            "time": int(time),
            "name": name,
            "value": base64.b64decode(value).decode("utf-8"),
            "signature": signed[position:],
        }


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
