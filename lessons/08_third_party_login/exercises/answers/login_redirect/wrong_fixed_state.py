# The state is the same for everybody.
# Told: 'login'
# Told: A state that can be guessed protects from nothing: secrets.token_urlsafe(32
"""Send the browser to the provider, with a state that only this browser has."""

import asyncio
import contextlib
import secrets

import tornado.auth
import tornado.web
from tornado.options import define, options, parse_command_line

SECRET = secrets.token_hex(32)  # made anew at each start
CALLBACK = "http://localhost:8888/callback"


class LoginHandler(tornado.web.RequestHandler, tornado.auth.OAuth2Mixin):
    def get(self) -> None:
        state = "login"
        self.set_signed_cookie("state", state, httponly=True, samesite="Lax")
        self._OAUTH_AUTHORIZE_URL = self.settings["provider"] + "/authorize"
        self.authorize_redirect(
            redirect_uri=CALLBACK,
            client_id="course",
            scope=["profile"],
            extra_params={"state": state},
        )


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
