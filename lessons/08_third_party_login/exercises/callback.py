"""Come back with a code, turn it into a name, and remember the name."""

import asyncio
import contextlib
import secrets
import signal

import tornado.auth
import tornado.web
from tornado.options import define, options, parse_command_line

CLIENT = {"client_id": "course", "client_secret": secrets.token_hex(32)}  # for /token
CALLBACK = "http://localhost:8888/callback"


class CallbackHandler(tornado.web.RequestHandler, tornado.auth.OAuth2Mixin):
    async def get(self) -> None:
        # TODO 1: code, CALLBACK and CLIENT go to /token by POST; an access_token comes back.
        # TODO 2: /userinfo tells the name to who has it in a header. Keep it in a cookie, signed.
        # TODO 3: /me answers {"name": ...} from the cookie.
        self.redirect("/me")


def make_app() -> tornado.web.Application:
    settings = {"cookie_secret": secrets.token_hex(32), "provider": "http://localhost:8889"}
    return tornado.web.Application([("/callback", CallbackHandler)], **settings)


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    make_app().listen(options.port)
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))  # as Ctrl-C
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
