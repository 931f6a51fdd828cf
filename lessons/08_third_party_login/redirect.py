"""The first half of a login: the browser is redirected to the provider.

Run it:  python3 learn.py run 08/redirect
"""

import asyncio
import contextlib

import tornado.auth
import tornado.web
from tornado.options import define, options, parse_command_line


class LoginHandler(tornado.web.RequestHandler, tornado.auth.OAuth2Mixin):
    _OAUTH_AUTHORIZE_URL = "http://localhost:8889/authorize"  # of the provider

    def get(self) -> None:
        self.authorize_redirect(
            redirect_uri=self.settings["callback"],
            client_id="course",
            scope=["profile", "email"],
        )


class HomeHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.write("<a href=/login>Log in</a>")


def make_app(callback: str) -> tornado.web.Application:
    """/login redirects to a provider, which sends the browser back to `callback`."""
    routes = [("/", HomeHandler), ("/login", LoginHandler)]
    return tornado.web.Application(routes, callback=callback)


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    url = f"http://localhost:{options.port}"
    make_app(f"{url}/callback").listen(options.port, "localhost")
    print(f"Open {url}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
