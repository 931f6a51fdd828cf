"""Every argument of set_cookie(), what the browser does with it, and how a cookie is deleted.

Run it:  python3 learn.py run 04/plain_cookies
"""

import asyncio
import contextlib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import tornado.web
from tornado.options import define, options, parse_command_line

HERE = Path(__file__).parent

# region kinds
KINDS: dict[str, dict[str, Any]] = {
    "session": {},  # deleted when the browser is closed
    "days": {"expires_days": 20},
    "date": {"expires": datetime(2038, 1, 19, tzinfo=UTC)},  # overrides expires_days
    "seconds": {"max_age": 60},
    "shop": {"path": "/shop"},  # sent to /shop and below only
    "foreign": {"domain": "example.com"},  # refused: only your own host or a domain above it
    "hidden": {"httponly": True},  # no script of a page can read it
    "tls": {"secure": True},  # sent over HTTPS only; browsers allow http://localhost
    "strict": {"samesite": "Strict"},  # not sent when a link on another site leads here
}
# endregion


class CookiesHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        sent = {name: morsel.value for name, morsel in self.request.cookies.items()}
        self.render("plain_cookies.html", kinds=KINDS, sent=sent)


class SetHandler(tornado.web.RequestHandler):
    def post(self, kind: str) -> None:
        self.set_cookie(kind, "tasty", **KINDS[kind])  # a space in the value is a ValueError
        self.redirect("/", status=303)


class ClearHandler(tornado.web.RequestHandler):
    def post(self, kind: str) -> None:
        # Sets it again, empty and with a date in the past. Another path is another cookie.
        self.clear_cookie(kind, path=KINDS[kind].get("path", "/"))
        self.redirect("/", status=303)


def make_app() -> tornado.web.Application:
    """Make an application with a page at / and /shop that shows, sets and clears cookies."""
    names = "|".join(KINDS)
    return tornado.web.Application(
        [
            (r"/(?:shop)?", CookiesHandler),
            (rf"/set/({names})", SetHandler),
            (rf"/clear/({names})", ClearHandler),
        ],
        template_path=HERE / "templates",
        static_path=HERE / "static",
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
