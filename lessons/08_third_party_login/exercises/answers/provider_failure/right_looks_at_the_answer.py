# raise_error=False, and the answer is looked at, step by step; app_log; send_error().
"""A provider that fails: the visitor gets 502, and the log gets the reason."""

import asyncio
import contextlib
import json
import secrets
from urllib.parse import urlencode

import tornado.auth
import tornado.web
from tornado.httpclient import AsyncHTTPClient
from tornado.log import app_log
from tornado.options import define, options, parse_command_line


class CallbackHandler(tornado.web.RequestHandler, tornado.auth.OAuth2Mixin):
    async def get(self) -> None:
        if self.get_query_argument("error", "") == "access_denied":
            self.send_error(403, reason="You refused")
            return
        body = urlencode(
            {"grant_type": "authorization_code", "code": self.get_query_argument("code")}
        )
        client = AsyncHTTPClient()
        try:
            response = await client.fetch(
                f"{self.settings['provider']}/token", method="POST", body=body, raise_error=False
            )
        except OSError as error:
            return self.fail(str(error))
        if response.code != 200:
            return self.fail(f"status {response.code}: {response.error}")
        try:
            tokens = json.loads(response.body)
        except ValueError:
            return self.fail("no JSON")
        if not isinstance(tokens, dict) or not isinstance(tokens.get("access_token"), str):
            return self.fail("no token")
        self.write(f"You are in, with a token of {len(tokens['access_token'])} characters")

    def fail(self, why: str) -> None:
        app_log.warning("the provider failed: %s", why)
        self.send_error(502, reason="Bad answer of the login provider")


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
