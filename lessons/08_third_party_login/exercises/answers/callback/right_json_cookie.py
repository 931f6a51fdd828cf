# The cookie holds JSON; the client of the mixin and an HTTPRequest.
"""The browser comes back with a code: exchange it for a token, and the token for a name."""

import asyncio
import contextlib
import secrets

import tornado.auth
import tornado.escape
import tornado.httpclient
import tornado.httputil
import tornado.web
from tornado.options import define, options, parse_command_line

CLIENT = {"client_id": "course", "client_secret": secrets.token_hex(32)}  # for /token
CALLBACK = "http://localhost:8888/callback"


class CallbackHandler(tornado.web.RequestHandler, tornado.auth.OAuth2Mixin):
    async def get(self) -> None:
        tokens = await self.oauth2_request(
            self.settings["provider"] + "/token",
            post_args=CLIENT
            | {
                "grant_type": "authorization_code",
                "redirect_uri": CALLBACK,
                "code": self.get_query_argument("code"),
            },
        )
        request = tornado.httpclient.HTTPRequest(
            f"{self.settings['provider']}/userinfo",
            headers=tornado.httputil.HTTPHeaders(
                {"Authorization": f"bearer {tokens['access_token']}", "Accept": "application/json"}
            ),
            request_timeout=5,
        )
        answer = await self.get_auth_http_client().fetch(request)
        person = tornado.escape.json_decode(answer.body)
        value = tornado.escape.json_encode({"name": person["name"]})
        self.set_signed_cookie("user", value, secure=False, httponly=True, samesite="LAX")
        self.redirect("me")


class MeHandler(tornado.web.RequestHandler):
    async def get(self) -> None:
        cookie = self.get_signed_cookie("user", min_version=2)
        self.write(tornado.escape.json_decode(cookie) if cookie else {"name": None})


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
