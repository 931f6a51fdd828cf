"""Take an answer only where the question was asked: compare the state, once."""

import asyncio
import contextlib
import secrets
import signal

import tornado.auth
import tornado.web
from tornado.options import define, options, parse_command_line


class CallbackHandler(tornado.web.RequestHandler, tornado.auth.OAuth2Mixin):
    async def get(self) -> None:
        # TODO: 403, before anybody is asked, unless the state in the address is this browser's.
        form = {"grant_type": "authorization_code", "code": self.get_query_argument("code")}
        await self.oauth2_request(f"{self.settings['provider']}/token", post_args=form)
        self.write("You are in")


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
