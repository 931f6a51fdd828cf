# A module function does the two requests; routes with tornado.web.url; cookies by hand.
"""The browser comes back with a code: exchange it for a token, and the token for a name."""

import asyncio
import contextlib
import json
import secrets
import urllib.parse

import tornado.auth
import tornado.httpclient
import tornado.web
from tornado.options import define, options, parse_command_line

CLIENT = {"client_id": "course", "client_secret": secrets.token_hex(32)}  # for /token
CALLBACK = "http://localhost:8888/callback"


async def name_of(provider: str, code: str) -> str:
    client = tornado.httpclient.AsyncHTTPClient()
    form = dict(CLIENT, grant_type="authorization_code", code=code, redirect_uri=CALLBACK)
    response = await client.fetch(
        provider + "/token",
        method="POST",
        headers={"Content-Type": "application/x-www-form-urlencoded"},
        body=urllib.parse.urlencode(form),
    )
    access_token = json.loads(response.body.decode())["access_token"]
    response = await client.fetch(
        provider + "/userinfo", headers={"Authorization": "Bearer %s" % access_token}
    )
    return json.loads(response.body)["name"]


class CallbackHandler(tornado.web.RequestHandler):
    async def get(self):
        name = await name_of(self.settings["provider"], self.get_query_argument("code"))
        flags = {"httponly": True, "samesite": "Lax"}
        self.set_cookie("user", self.create_signed_value("user", name), path="/", **flags)
        self.set_status(302)
        self.set_header("Location", "/me")


class MeHandler(tornado.web.RequestHandler):
    def get(self):
        try:
            name = self.get_signed_cookie("user").decode()
        except AttributeError:
            name = None
        self.write({"name": name})


def make_app() -> tornado.web.Application:
    settings = {"cookie_secret": secrets.token_hex(32), "provider": "http://localhost:8889"}
    return tornado.web.Application([
            tornado.web.url(r"/callback", CallbackHandler, name="callback"),
            tornado.web.url(r"/me", MeHandler),
        ], **settings)


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    make_app().listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
