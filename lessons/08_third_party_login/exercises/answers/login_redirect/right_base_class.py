# A base class keeps the state; initialize() takes the provider's address from the settings.
"""Send the browser to the provider, with a state that only this browser has."""

import asyncio
import contextlib
import secrets
import string

import tornado.auth
import tornado.web
from tornado.options import define, options, parse_command_line

SECRET = secrets.token_hex(32)  # made anew at each start
CALLBACK = "http://localhost:8888/callback"


class LoginHandler(tornado.web.RequestHandler, tornado.auth.OAuth2Mixin):
    pass


class StateHandler(tornado.web.RequestHandler):
    def new_state(self) -> str:
        state = "".join(secrets.choice(string.ascii_letters) for _ in range(32))
        self.set_signed_cookie("state", state.encode(), httponly=True, samesite="Lax", secure=False)
        return state


class LoginHandler(StateHandler, tornado.auth.OAuth2Mixin):
    def initialize(self) -> None:
        self._OAUTH_AUTHORIZE_URL = "%s/authorize" % self.settings.get("provider")

    def get(self) -> None:
        extra = dict(state=self.new_state())
        return self.authorize_redirect(
            CALLBACK, client_id="course", scope=["profile"], extra_params=extra
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
