# The address is a property, the arguments are positions, with PKCE and a path for the cookie.
"""Send the browser to the provider, with a state that only this browser has."""

import asyncio
import base64
import contextlib
import hashlib
import secrets
import uuid

import tornado.auth
import tornado.web
from tornado.options import define, options, parse_command_line

SECRET = secrets.token_hex(32)  # made anew at each start
CALLBACK = "http://localhost:8888/callback"


class LoginHandler(tornado.web.RequestHandler, tornado.auth.OAuth2Mixin):
    @property
    def _OAUTH_AUTHORIZE_URL(self):
        return f"{self.settings['provider']}/authorize"

    def get(self):
        state = uuid.uuid4().hex
        verifier = secrets.token_urlsafe(48)
        digest = hashlib.sha256(verifier.encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        cookie = {"httponly": True, "samesite": "LAX", "expires_days": 1}
        self.set_signed_cookie("state", state, path="/callback", **cookie)
        self.set_signed_cookie("verifier", verifier, **cookie)
        params = {
            "state": state,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        self.authorize_redirect(CALLBACK, "course", None, params, ["profile"], "code")


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
