# A regular expression, sets of scopes, and send_error().
"""An API that checks the access token of a request, and whether its scope allows the request."""

import asyncio
import contextlib

import re

import tornado.web
from tornado.options import define, options, parse_command_line

# Each access token: its user, and what the user has allowed. A real API asks the provider.
TOKENS = {"demo-token": {"user": "Ada", "scope": "photos:read"}}


class PhotosHandler(tornado.web.RequestHandler):
    SCOPES = {"GET": {"photos:read"}, "POST": {"photos:write"}}

    async def prepare(self):
        match = re.fullmatch(r"bearer +(\S+)", self.request.headers.get("Authorization", ""), re.I)
        if match is None:
            return self.no(401, "Bearer")
        if match[1] not in self.settings["tokens"]:
            return self.no(401, 'Bearer error="invalid_token", error_description="unknown"')
        self.grant = self.settings["tokens"][match[1]]
        if not self.SCOPES[self.request.method] <= set(self.grant["scope"].split()):
            return self.no(403, 'Bearer error="insufficient_scope"')

    def no(self, status, challenge):
        self.challenge = challenge
        self.send_error(status)

    def write_error(self, status_code, **kwargs):
        if hasattr(self, "challenge"):
            self.set_header("WWW-Authenticate", self.challenge)
        self.finish(str(status_code))

    def get(self):
        self.write({"user": self.grant["user"]})

    def post(self):
        self.set_status(201)
        self.write({"user": self.grant["user"]})


def make_app() -> tornado.web.Application:
    return tornado.web.Application([(r"/photos", PhotosHandler)], tokens=TOKENS)


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    make_app().listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
