# url_concat and a state of bytes from the system; the cookie is signed by hand.
"""Send the browser to the provider, with a state that only this browser has."""

import asyncio
import base64
import contextlib
import os
import secrets

import tornado.auth
import tornado.web
from tornado.httputil import url_concat
from tornado.options import define, options, parse_command_line

SECRET = secrets.token_hex(32)  # made anew at each start
CALLBACK = "http://localhost:8888/callback"


class LoginHandler(tornado.web.RequestHandler, tornado.auth.OAuth2Mixin):
    def get(self):
        state = base64.urlsafe_b64encode(os.urandom(24)).decode()
        signed = self.create_signed_value("state", state)
        self.set_cookie("state", signed.decode(), HttpOnly=True, SameSite="Lax")
        args = [
            ("response_type", "code"),
            ("client_id", "course"),
            ("redirect_uri", CALLBACK),
            ("scope", "profile"),
            ("state", state),
        ]
        self.set_header("Cache-Control", "no-store")
        self.set_status(302)
        self.set_header("Location", url_concat(self.settings["provider"] + "/authorize", args))
        self.finish()


def make_app() -> tornado.web.Application:
    settings = {"cookie_secret": SECRET, "provider": "http://localhost:8889"}
    return tornado.web.Application([(r"/login", LoginHandler)], **settings)


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    make_app().listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
