# One method asks the provider, and tests what comes.
"""The login of an old tutorial, which no longer works: make it work with today's Tornado."""

import asyncio
import contextlib
from urllib.parse import urlencode

import tornado.auth
import tornado.web
from tornado.escape import json_decode, xhtml_escape
from tornado.httpclient import AsyncHTTPClient, HTTPClientError
from tornado.options import define, options, parse_command_line


class LoginHandler(tornado.web.RequestHandler, tornado.auth.OAuth2Mixin):
    async def ask(self, path, **options):
        try:
            answer = await self.get_auth_http_client().fetch(
                self.settings["provider"] + path, **options
            )
            return json_decode(answer.body)
        except (HTTPClientError, OSError, ValueError):
            raise tornado.web.HTTPError(502)

    async def get(self):
        form = {"grant_type": "authorization_code", "code": self.get_argument("code")}
        token = await self.ask("/token", method="POST", body=urlencode(form))
        if not isinstance(token, dict) or "access_token" not in token:
            raise tornado.web.HTTPError(502)
        user = await self.ask(
            "/userinfo", headers={"Authorization": "Bearer " + token["access_token"]}
        )
        if not isinstance(user, dict) or not user.get("name"):
            raise tornado.web.HTTPError(502)
        self.write("Hello " + xhtml_escape(user["name"]))


def make_app() -> tornado.web.Application:
    return tornado.web.Application([("/login", LoginHandler)], provider="http://localhost:8889")


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    make_app().listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
