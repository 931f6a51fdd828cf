"""Sessions: the cookie contains a random id, and the server keeps what belongs to it.

Run it:  python3 learn.py run 04/sessions
"""

import asyncio
import contextlib
import secrets

import tornado.web
from tornado.options import define, options, parse_command_line


class Sessions:
    """The sessions in memory, with the async methods that a database would have."""

    def __init__(self) -> None:
        self._members: dict[str, str] = {}

    async def begin(self, member: str) -> str:
        self._members[session := secrets.token_urlsafe(32)] = member
        return session

    async def member(self, session: str) -> str | None:
        return self._members.get(session)

    async def end(self, session: str) -> None:
        self._members.pop(session, None)


class BaseHandler(tornado.web.RequestHandler):
    session: str | None = None

    async def prepare(self) -> None:
        # Not in get_current_user(): nothing awaits that, and a coroutine object is true.
        if cookie := self.get_signed_cookie("session"):
            self.session = cookie.decode()
            self.current_user = await self.settings["sessions"].member(self.session)


class WhoHandler(BaseHandler):
    def get(self) -> None:
        self.write({"member": self.current_user})


class LoginHandler(BaseHandler):
    async def post(self) -> None:
        session = await self.settings["sessions"].begin(self.get_body_argument("name"))
        self.set_signed_cookie("session", session, httponly=True, samesite="Lax")


class LogoutHandler(BaseHandler):
    async def post(self) -> None:
        if self.session:  # ends it for every copy of the cookie, not only in this browser
            await self.settings["sessions"].end(self.session)
        self.clear_cookie("session", samesite="Lax")


def make_app(secret: str) -> tornado.web.Application:
    """Make an application: GET / says who you are, POST /login and /logout change it."""
    return tornado.web.Application(
        [(r"/", WhoHandler), (r"/login", LoginHandler), (r"/logout", LogoutHandler)],
        cookie_secret=secret,
        sessions=Sessions(),
    )


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    make_app(secrets.token_hex(32)).listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
