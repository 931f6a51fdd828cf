# An exception of one's own, raised by a helper; write_error() makes the page in JSON.
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
        self.refuse_no()
        token = await self.token(self.get_query_argument("code"))
        self.write(f"You are in, with a token of {len(token)} characters")

    def refuse_no(self) -> None:
        if self.get_query_argument("error", "") == "access_denied":
            raise tornado.web.HTTPError(403, reason="You said no")

    async def token(self, code: str) -> str:
        form = {"grant_type": "authorization_code", "code": code}
        try:
            match await self.oauth2_request(f"{self.settings['provider']}/token", post_args=form):
                case {"access_token": str(token)}:
                    return token
                case other:
                    raise ProviderError(f"no token in {other!r}")
        except (HTTPClientError, OSError, ValueError) as error:
            raise ProviderError(repr(error)) from error

    def write_error(self, status_code: int, **kwargs) -> None:
        self.finish({"status": status_code, "error": self._reason})


class ProviderError(tornado.web.HTTPError):
    def __init__(self, why: str) -> None:
        super().__init__(502, "%s", why, reason="Provider unavailable")


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
