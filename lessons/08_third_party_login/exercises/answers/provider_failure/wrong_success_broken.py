# Every answer is a 502, also the right one.
# Told: 502 The provider is in trouble
# Told: After a good answer the visitor must be logged in.
"""A provider that fails: the visitor gets 502, and the log gets the reason."""

import asyncio
import contextlib
import secrets

import tornado.auth
import tornado.web
from tornado.httpclient import HTTPClientError
from tornado.options import define, options, parse_command_line


class CallbackHandler(tornado.web.RequestHandler, tornado.auth.OAuth2Mixin):
    async def get(self) -> None:
        if self.get_query_argument("error", "") == "access_denied":
            raise tornado.web.HTTPError(403)
        form = {"grant_type": "authorization_code", "code": self.get_query_argument("code")}
        try:
            tokens = await self.oauth2_request(f"{self.settings['provider']}/token", post_args=form)
            token = tokens.access_token
        except (HTTPClientError, OSError, ValueError, LookupError, TypeError, AttributeError) as error:
            reason = "The provider is in trouble"
            raise tornado.web.HTTPError(502, "provider: %r", error, reason=reason) from None
        self.write(f"You are in, with a token of {len(token)} characters")


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
