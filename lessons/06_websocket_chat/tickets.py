"""A one-time ticket opens a socket: a browser cannot add a header to the handshake.

Run it:  python3 learn.py run 06/tickets
"""

import asyncio
import contextlib
import secrets
import time
from pathlib import Path

import tornado.log
import tornado.web
import tornado.websocket
from tornado.options import define, options, parse_command_line

HERE = Path(__file__).parent
TOKENS = {"token-of-ada": "Ada"}  # what a login has given out; a real token is random
LIFETIME = 30.0  # seconds until a ticket is void


class Tickets:
    """The tickets that no socket has used yet, in memory, with their users."""

    def __init__(self) -> None:
        self.issued: dict[str, tuple[str, float]] = {}

    def issue(self, user: str) -> str:
        now = time.monotonic()
        self.issued = {key: each for key, each in self.issued.items() if each[1] > now}
        ticket = secrets.token_urlsafe(32)
        self.issued[ticket] = (user, now + LIFETIME)
        return ticket

    def use(self, ticket: str) -> str | None:
        """Return the user of a ticket, or None. A ticket can be used once."""
        user, expires = self.issued.pop(ticket, ("", 0.0))
        return user if expires > time.monotonic() else None


class TicketHandler(tornado.web.RequestHandler):
    def post(self) -> None:
        scheme, _, token = self.request.headers.get("Authorization", "").partition(" ")
        user = TOKENS.get(token) if scheme.lower() == "bearer" else None
        if user is None:
            self.set_header("WWW-Authenticate", "Bearer")
            raise tornado.web.HTTPError(401)
        self.set_header("Cache-Control", "no-store")
        self.write({"ticket": self.settings["tickets"].issue(user)})


class SocketHandler(tornado.websocket.WebSocketHandler):
    def prepare(self) -> None:
        user = self.settings["tickets"].use(self.get_query_argument("ticket", ""))
        if user is None:
            raise tornado.web.HTTPError(401)  # no ticket, an old one, or one that was used
        self.current_user = user

    def open(self) -> None:
        self.write_message(f"Welcome, {self.current_user}")

    def on_message(self, message: str | bytes) -> None:
        self.write_message(f"{self.current_user} said {message!r}")


def log_without_query(handler: tornado.web.RequestHandler) -> None:
    """Log the path of a request, without its query: a log must not contain tickets."""
    request = handler.request
    tornado.log.access_log.info("%d %s %s", handler.get_status(), request.method, request.path)


class PageHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.write("POST /ticket with a token, then open /socket?ticket=... with the answer.")


def make_app() -> tornado.web.Application:
    """POST /ticket exchanges a bearer token for a ticket; /socket takes the ticket."""
    return tornado.web.Application(
        [(r"/", PageHandler), (r"/ticket", TicketHandler), (r"/socket", SocketHandler)],
        tickets=Tickets(),
        log_function=log_without_query,
    )


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    make_app().listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
