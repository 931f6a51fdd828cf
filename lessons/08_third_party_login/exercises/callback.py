"""The browser comes back with a code: exchange it for a token, and the token for a name."""

import asyncio
import contextlib
import secrets

import tornado.auth
import tornado.web
from tornado.options import define, options, parse_command_line

CLIENT = {"client_id": "course", "client_secret": secrets.token_hex(32)}  # for /token
CALLBACK = "http://localhost:8888/callback"


class CallbackHandler(tornado.web.RequestHandler, tornado.auth.OAuth2Mixin):
    async def get(self) -> None:
        # TODO 1: send code, CALLBACK and CLIENT to /token by POST, and get an access_token.
        # TODO 2: get the name from /userinfo, and keep it in a signed cookie.
        # TODO 3: GET /me answers {"name": ...} from the cookie.
        self.redirect("/me")


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
