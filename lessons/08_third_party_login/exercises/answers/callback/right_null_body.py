# The body is null without a cookie; two fetches, no mixin; get_current_user.
"""The browser comes back with a code: exchange it for a token, and the token for a name."""

import asyncio
import contextlib
import json
import secrets
from urllib.parse import urlencode

import tornado.auth
import tornado.web
from tornado.httpclient import AsyncHTTPClient
from tornado.options import define, options, parse_command_line

CLIENT = {"client_id": "course", "client_secret": secrets.token_hex(32)}  # for /token
CALLBACK = "http://localhost:8888/callback"


class BaseHandler(tornado.web.RequestHandler):
    def get_current_user(self):
        user = self.get_signed_cookie("user", max_age_days=1)
        return None if user is None else user.decode("utf-8")


class CallbackHandler(BaseHandler):
    async def ask(self, path, **more):
        client = AsyncHTTPClient()
        response = await client.fetch(self.settings["provider"] + path, **more)
        return json.loads(response.body)

    async def get(self):
        form = urlencode(
            [
                ("code", self.get_argument("code")),
                ("grant_type", "authorization_code"),
                ("redirect_uri", CALLBACK),
                ("client_id", CLIENT["client_id"]),
                ("client_secret", CLIENT["client_secret"]),
            ]
        )
        token = (await self.ask("/token", method="POST", body=form))["access_token"]
        user = await self.ask("/userinfo", headers={"authorization": "Bearer " + token})
        self.set_signed_cookie("user", user["name"], expires_days=1, httponly=True, samesite="lax")
        self.redirect("/me", status=303)


class MeHandler(BaseHandler):
    def get(self):
        self.set_header("Content-Type", "application/json")
        user = self.current_user
        self.write(json.dumps({"name": user} if user else None))


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
