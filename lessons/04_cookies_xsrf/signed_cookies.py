"""How long a signature is valid, for the browser and for the server, and signing without cookies.

Run it:  python3 learn.py run 04/signed_cookies
"""

import asyncio
import contextlib
import os
import secrets

import tornado.escape
import tornado.web
from tornado.options import define, options, parse_command_line


class DoorHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        guest = self.get_signed_cookie("guest", max_age_days=7)  # bytes, whatever was signed
        self.write({"guest": guest.decode() if guest else None})


class InviteHandler(tornado.web.RequestHandler):
    def post(self) -> None:
        # A signature needs no cookie: this one is for a link, for example in an e-mail.
        invitation = self.create_signed_value("invitation", self.get_body_argument("guest"))
        self.write(tornado.escape.url_escape(invitation) + "\n")


class WelcomeHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        given = self.get_query_argument("invitation")
        # The name is signed, too: a cookie called guest is not accepted as an invitation.
        guest = self.get_signed_cookie("invitation", given, max_age_days=1, min_version=2)
        if guest is None:
            raise tornado.web.HTTPError(403, reason="Not an invitation, or too old")
        # expires_days is for the browser; None: until it is closed.
        # The server accepts the cookie for max_age_days, whoever sends it.
        self.set_signed_cookie("guest", guest, expires_days=None, httponly=True, samesite="Lax")
        self.redirect("/")


def make_app(secret: str) -> tornado.web.Application:
    """Make an application: POST /invite signs, GET /welcome sets a cookie, GET / reads it."""
    return tornado.web.Application(
        [(r"/", DoorHandler), (r"/invite", InviteHandler), (r"/welcome", WelcomeHandler)],
        cookie_secret=secret,
    )


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    make_app(os.environ.get("COOKIE_SECRET") or secrets.token_hex(32)).listen(
        options.port, "localhost"
    )
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
