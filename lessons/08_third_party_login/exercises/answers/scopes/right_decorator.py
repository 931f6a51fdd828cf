# A decorator for each method, and an exception that write_error() turns into the header.
"""An API that checks the access token of a request, and whether its scope allows the request."""

import asyncio
import contextlib

import functools

import tornado.web
from tornado.options import define, options, parse_command_line

# Each access token: its user, and what the user has allowed. A real API asks the provider.
TOKENS = {"demo-token": {"user": "Ada", "scope": "photos:read"}}


def needs(scope):
    def decorate(method):
        @functools.wraps(method)
        def checked(self):
            header = self.request.headers.get("Authorization")
            if not header or not header.lower().startswith("bearer "):
                raise Refused(401, "Bearer")
            grant = self.settings["tokens"].get(header[7:])
            if not grant:
                raise Refused(401, 'Bearer realm="photos", error="invalid_token"')
            if scope not in grant["scope"].split(" "):
                raise Refused(403, f'Bearer error="insufficient_scope", scope="{scope}"')
            return method(self, grant["user"])

        return checked

    return decorate


class Refused(tornado.web.HTTPError):
    def __init__(self, status, challenge):
        super().__init__(status)
        self.challenge = challenge


class PhotosHandler(tornado.web.RequestHandler):
    def write_error(self, status_code, exc_info=None, **kwargs):
        error = exc_info[1]
        if isinstance(error, Refused):
            self.set_header("WWW-Authenticate", error.challenge)
            self.finish({"error": status_code})
        else:
            super().write_error(status_code, exc_info=exc_info, **kwargs)

    @needs("photos:read")
    def get(self, user):
        self.write({"user": user})

    @needs("photos:write")
    def post(self, user):
        self.set_status(201)
        self.write({"user": user})


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
