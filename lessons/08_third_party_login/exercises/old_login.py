"""The login of an old tutorial, which no longer works: make it work with today's Tornado."""

import asyncio
import contextlib

import tornado.auth
import tornado.web
from tornado.options import define, options, parse_command_line


class LoginHandler(tornado.web.RequestHandler, tornado.auth.OAuth2Mixin):
    # TODO: make it work. (The tutorial also has @tornado.web.asynchronous, which was removed.)
    def get(self) -> None:
        form = {"grant_type": "authorization_code", "code": self.get_argument("code")}
        url = self.settings["provider"] + "/token"
        self.oauth2_request(url, self.async_callback(self.on_token), post_args=form)

    def on_token(self, token) -> None:
        url = self.settings["provider"] + "/userinfo"
        self.oauth2_request(url, self.on_user, access_token=token["access_token"])

    def on_user(self, user) -> None:
        if not user:
            raise tornado.web.HTTPError(500, "auth failed")
        self.finish("Hello " + user["name"])


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
