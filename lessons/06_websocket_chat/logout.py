"""Logout closes the open sockets of the user, in every tab.

Run it:  python3 learn.py run 06/logout
"""

import asyncio
import contextlib
import secrets
from pathlib import Path

import tornado.web
import tornado.websocket
from tornado.options import define, options, parse_command_line

HERE = Path(__file__).parent
LOGGED_OUT = 4001  # the codes 4000 to 4999 are yours


class Sessions:
    """The sessions that are valid, and the open sockets of each of them."""

    def __init__(self) -> None:
        self.names: dict[str, str] = {}
        self.sockets: dict[str, set[SocketHandler]] = {}

    def begin(self, name: str) -> str:
        session = secrets.token_urlsafe(16)
        self.names[session] = name
        self.sockets[session] = set()
        return session

    def end(self, session: str) -> None:
        self.names.pop(session, None)  # from now on, no handshake succeeds with this session
        for socket in self.sockets.pop(session, set()).copy():
            socket.close(LOGGED_OUT, "logged out")


class BaseHandler(tornado.web.RequestHandler):
    @property
    def sessions(self) -> Sessions:
        return self.settings["sessions"]

    @property
    def session(self) -> str:
        """The id of the session in the signed cookie, or ""."""
        return (self.get_signed_cookie("session") or b"").decode()

    def get_current_user(self) -> str | None:
        return self.sessions.names.get(self.session)


class PageHandler(BaseHandler):
    def get(self) -> None:
        self.render("login.html", path="/socket", examples=["Who am I?"])


class LoginHandler(BaseHandler):
    def post(self) -> None:
        self.sessions.end(self.session)  # of the user who was logged in here before
        session = self.sessions.begin(self.get_body_argument("name"))
        self.set_signed_cookie("session", session, httponly=True)
        self.redirect("/", status=303)


class LogoutHandler(BaseHandler):
    def post(self) -> None:
        self.sessions.end(self.session)
        self.clear_cookie("session", httponly=True)
        self.redirect("/", status=303)


class SocketHandler(tornado.websocket.WebSocketHandler, BaseHandler):
    def prepare(self) -> None:
        if self.current_user is None:
            raise tornado.web.HTTPError(401)

    def open(self) -> None:
        sockets = self.sessions.sockets.get(self.session)
        if sockets is None:  # the session has ended during the handshake
            self.close(LOGGED_OUT, "logged out")
        else:
            sockets.add(self)

    def on_message(self, message: str | bytes) -> None:
        self.write_message(f"{self.current_user} said {message!r}")

    def on_close(self) -> None:
        self.sessions.sockets.get(self.session, set()).discard(self)


def make_app(cookie_secret: str) -> tornado.web.Application:
    """Log in at /; /socket closes when the session ends."""
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
        xsrf_cookies=True,
        sessions=Sessions(),
    )


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    app = make_app(secrets.token_hex(32))
    app.listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
