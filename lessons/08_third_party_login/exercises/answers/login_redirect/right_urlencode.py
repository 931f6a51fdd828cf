# The address is put together by hand; token_hex; samesite in lower case; a cookie for ten minutes.
"""Send the browser to the provider, with a state that only this browser has."""

import asyncio
import contextlib
import secrets
from urllib.parse import urlencode

import tornado.auth
import tornado.web
from tornado.options import define, options, parse_command_line

SECRET = secrets.token_hex(32)  # made anew at each start
CALLBACK = "http://localhost:8888/callback"


class LoginHandler(tornado.web.RequestHandler, tornado.auth.OAuth2Mixin):
    async def get(self):
        state = secrets.token_hex(16)
        self.set_signed_cookie(
            "state", state, expires_days=None, max_age=600, httponly=True, samesite="lax"
        )
        query = urlencode(
            {
                "scope": "profile",
                "state": state,
                "client_id": "course",
                "redirect_uri": CALLBACK,
                "response_type": "code",
            }
        )
        self.redirect(f"{self.settings['provider']}/authorize?{query}")


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
