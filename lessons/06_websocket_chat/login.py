"""Login: the handshake is a request with cookies, and the only one that a socket has.

Run it:  python3 learn.py run 06/login
"""

import asyncio
import contextlib
import secrets
from pathlib import Path

import tornado.web
import tornado.websocket
from tornado.options import define, options, parse_command_line

HERE = Path(__file__).parent


class BaseHandler(tornado.web.RequestHandler):
    def get_current_user(self) -> str | None:
        name = self.get_signed_cookie("user")
        return name.decode() if name else None


class PageHandler(BaseHandler):
    def get(self) -> None:
        self.render("login.html", path="/socket", examples=["Who am I?"])


class LoginHandler(BaseHandler):
    def post(self) -> None:
        # A password belongs here: see lesson 04 and the capstone.
        self.set_signed_cookie("user", self.get_body_argument("name"), httponly=True)
        self.redirect("/", status=303)


class LogoutHandler(BaseHandler):
    def post(self) -> None:
        self.clear_cookie("user", httponly=True)
        self.redirect("/", status=303)


class SocketHandler(tornado.websocket.WebSocketHandler, BaseHandler):
    def prepare(self) -> None:
        if self.current_user is None:
            raise tornado.web.HTTPError(401)  # before the upgrade: no socket is opened at all

    def on_message(self, message: str | bytes) -> None:
        # Not self.request.remote_ip: all people behind one router or proxy share it.
        self.write_message(f"{self.current_user} said {message!r}")


def make_app(cookie_secret: str) -> tornado.web.Application:
    """Log in at /; only then /socket accepts a connection."""
    return tornado.web.Application(
        [
            (r"/", PageHandler),
            (r"/login", LoginHandler),
            (r"/logout", LogoutHandler),
            (r"/socket", SocketHandler),
        ],
        template_path=HERE / "templates",
        static_path=HERE / "static",
        cookie_secret=cookie_secret,
        xsrf_cookies=True,  # protects the two forms; a handshake is a GET, which is not checked
    )


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    # A new secret at each start: a restart logs everybody out.
    make_app(secrets.token_hex(32)).listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
