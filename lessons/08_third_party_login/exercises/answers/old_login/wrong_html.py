# Writes the name as HTML.
# Told: Hello &lt;b&gt;Bob
# Told: xhtml_escape(name)
"""The login of an old tutorial, which no longer works: make it work with today's Tornado."""

import asyncio
import contextlib

import tornado.auth
import tornado.web
from tornado.escape import json_decode
from tornado.httpclient import AsyncHTTPClient, HTTPClientError
from tornado.options import define, options, parse_command_line


class LoginHandler(tornado.web.RequestHandler, tornado.auth.OAuth2Mixin):
    async def get(self) -> None:
        form = {"grant_type": "authorization_code", "code": self.get_argument("code")}
        provider = self.settings["provider"]
        try:
            token = await self.oauth2_request(f"{provider}/token", post_args=form)
            headers = {"Authorization": f"Bearer {token['access_token']}"}
            answer = await AsyncHTTPClient().fetch(f"{provider}/userinfo", headers=headers)
            name = json_decode(answer.body)["name"]
        except (HTTPClientError, OSError, ValueError, LookupError, TypeError) as error:
            raise tornado.web.HTTPError(502, "%r", error) from None
        self.finish(f"Hello {name}")


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
