# A regular expression for each part; the signature must be 64 hex digits.
"""Take a signed value apart by hand. Note that this application has no secret: it needs none."""

import asyncio
import base64
import binascii
import contextlib
import re

import tornado.web
from tornado.options import define, options, parse_command_line


class DecodeHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        rest = self.get_query_argument("signed")
        version = re.match(r"(\d+)\|", rest)
        if version is None or version[1] != "2":
            raise tornado.web.HTTPError(400, "not version 2")
        rest = rest[version.end() :]
        fields = {}
        for field in ("key", "time", "name", "value"):
            length = re.match(r"([0-9]+):", rest)
            if length is None:
                raise tornado.web.HTTPError(400, "no length of %s", field)
            found = re.match(r"(.{%d})\|" % int(length[1]), rest[length.end() :], re.DOTALL)
            if found is None:
                raise tornado.web.HTTPError(400, "%s is too short", field)
            fields[field] = found[1]
            rest = rest[length.end() + found.end() :]
        if not re.fullmatch("[0-9a-f]{64}", rest):
            raise tornado.web.HTTPError(400, "no signature")
        try:
            fields["value"] = base64.b64decode(fields["value"], validate=True).decode()
            fields["key"], fields["time"] = int(fields["key"]), int(fields["time"])
        except (binascii.Error, UnicodeDecodeError, ValueError):
            raise tornado.web.HTTPError(400) from None
        self.write({"version": 2, **fields, "signature": rest})


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
