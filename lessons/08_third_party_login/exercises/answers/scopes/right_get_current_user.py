# get_current_user() finds the token; each method asks whether it is allowed.
"""An API that checks the access token of a request, and whether its scope allows the request."""

import asyncio
import contextlib

import tornado.web
from tornado.options import define, options, parse_command_line

# Each access token: its user, and what the user has allowed. A real API asks the provider.
TOKENS = {"demo-token": {"user": "Ada", "scope": "photos:read"}}


class PhotosHandler(tornado.web.RequestHandler):
    def get_current_user(self):
        scheme, _, token = self.request.headers.get("Authorization", "").partition(" ")
        return self.settings["tokens"].get(token) if scheme.lower() == "bearer" else None

    def allowed(self, scope):
        error = ""
        if self.current_user is None:
            self.set_status(401)
            if self.request.headers.get("Authorization", "").lower().startswith("bearer "):
                error = ' error="invalid_token"'
        elif scope not in self.current_user["scope"].split():
            self.set_status(403)
            error = ' error="insufficient_scope"'
        else:
            return True
        self.set_header("WWW-Authenticate", f"Bearer{error}")
        return False

    async def get(self):
        if self.allowed("photos:read"):
            self.write({"user": self.current_user["user"]})

    async def post(self):
        if self.allowed("photos:write"):
            self.set_status(201)
            self.write({"user": self.current_user["user"]})


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
