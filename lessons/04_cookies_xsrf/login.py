"""A page for members only, a login that leads back to it, and a logout.

Run it:  python3 learn.py run 04/login
"""

import asyncio
import contextlib
import re
import secrets
from pathlib import Path

import tornado.web
from tornado.options import define, options, parse_command_line

HERE = Path(__file__).parent
MEMBERS = {"ada": "Ada Lovelace", "alan": "Alan Turing"}


def local_path(target: str) -> str:
    """Return target if it is a path of this site, else "/"."""
    # Browsers read \ as / and skip tabs and newlines: //host, /\host, /<tab>/host lead away.
    return target if re.fullmatch(r"/(?!/)[^\\\x00-\x20\x7f]*", target) else "/"


class BaseHandler(tornado.web.RequestHandler):
    def get_current_user(self) -> str | None:
        # Called once, when current_user is first read. A false value means: not logged in.
        name = self.get_signed_cookie("member")
        return MEMBERS.get(name.decode()) if name else None


class MembersHandler(BaseHandler):
    @tornado.web.authenticated  # GET and HEAD: 302 to login_url?next=/; others: 403
    def get(self) -> None:
        self.render("members.html")


class LoginHandler(BaseHandler):
    def get(self) -> None:
        self.render("login.html", next=self.get_query_argument("next", "/"))

    def post(self) -> None:
        name = self.get_body_argument("name")
        if name not in MEMBERS:  # a real login also asks for a password: the capstone does
            raise tornado.web.HTTPError(403, reason="No such member")
        self.set_signed_cookie("member", name, httponly=True, samesite="Lax")
        self.redirect(local_path(self.get_body_argument("next", "/")), status=303)


class LogoutHandler(BaseHandler):
    def post(self) -> None:  # not get(): a picture on any page could log you out
        self.clear_cookie("member", samesite="Lax")
        self.redirect("/login", status=303)


def make_app(secret: str) -> tornado.web.Application:
    """Make an application with a page for members; secret is the key of the signatures."""
    return tornado.web.Application(
        [(r"/", MembersHandler), (r"/login", LoginHandler), (r"/logout", LogoutHandler)],
        cookie_secret=secret,
        login_url="/login",
        xsrf_cookies=True,
        template_path=HERE / "templates",
        static_path=HERE / "static",
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
