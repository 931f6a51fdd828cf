# except Exception around the request; a logger of one's own; a page by set_status().
"""A provider that fails: the visitor gets 502, and the log gets the reason."""

import asyncio
import contextlib
import logging
import secrets

import tornado.auth
import tornado.web
from tornado.options import define, options, parse_command_line

log = logging.getLogger("shop.login")


class CallbackHandler(tornado.web.RequestHandler, tornado.auth.OAuth2Mixin):
    async def get(self) -> None:
        if self.get_argument("error", None):
            self.set_status(403)
            self.finish("You said no.")
            return
        form = {"grant_type": "authorization_code", "code": self.get_query_argument("code")}
        try:
            tokens = await self.oauth2_request(self.settings["provider"] + "/token", post_args=form)
            length = len(tokens["access_token"])
        except Exception as e:
            log.error("no token: %s", e)
            self.set_status(502)
            self.write("Sorry, the Provider does not answer. Try again later.")
            return
        self.write(f"You are in, with a token of {length} characters")


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
