# Reads the text like a file, from the front to the end, in bytes.
"""Take a signed value apart by hand. Note that this application has no secret: it needs none."""

import asyncio
import base64
import contextlib
import io
import json

import tornado.web
from tornado.options import define, options, parse_command_line


def decode(signed: bytes) -> dict:
    stream = io.BytesIO(signed)
    assert stream.read(2) == b"2|"

    def part() -> bytes:
        digits = b""
        while (digit := stream.read(1)) != b":":
            assert digit.isdigit()
            digits += digit
        content = stream.read(int(digits))
        assert stream.read(1) == b"|"
        return content

    key, time, name, value = part(), part(), part(), part()
    signature = stream.read()
    assert signature
    return {
        "version": 2,
        "key": int(key),
        "time": int(time),
        "name": name.decode(),
        "value": base64.b64decode(value).decode(),
        "signature": signature.decode(),
    }


class DecodeHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        try:
            answer = decode(self.get_query_argument("signed").encode())
        except (ValueError, AssertionError):
            self.send_error(400)
        else:
            self.set_header("Content-Type", "application/json")
            self.write(json.dumps(answer, ensure_ascii=False))


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
