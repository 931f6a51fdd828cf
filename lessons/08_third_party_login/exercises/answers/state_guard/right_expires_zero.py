# expires=0, the beginning of 1970; clear_all_cookies; early 403 for a code that is missing.
"""Accept a callback only in the browser that began the login: compare the state, once."""

import asyncio
import contextlib
import hmac
import secrets

import tornado.auth
import tornado.escape
import tornado.web
from tornado.options import define, options, parse_command_line


class CallbackHandler(tornado.web.RequestHandler, tornado.auth.OAuth2Mixin):
    async def get(self):
        state = self.get_signed_cookie("state")
        if self.get_cookie("state") is not None:
            self.clear_all_cookies()
        wanted = tornado.escape.utf8(self.get_query_argument("state", ""))
        if not (state and wanted and hmac.compare_digest(wanted, state)):
            raise tornado.web.HTTPError(403, "state %r, cookie %r", wanted, state)
        form = {"grant_type": "authorization_code", "code": self.get_query_argument("code")}
        await self.oauth2_request(f"{self.settings['provider']}/token", post_args=form)
        self.write("You are in")


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
