"""A form that only pages of this site can send: the token is in a hidden field.

Run it:  python3 learn.py run 04/xsrf_form
"""

import asyncio
import contextlib
from pathlib import Path

import tornado.web
from tornado.options import define, options, parse_command_line

HERE = Path(__file__).parent


class GuestBookHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        # The template has {% module xsrf_form_html() %}: the first page sets the cookie _xsrf.
        self.render("xsrf_form.html", guests=self.settings["guests"])

    def post(self) -> None:
        # Tornado has checked the token. Without it: 403, before prepare().
        self.settings["guests"].append(self.get_body_argument("guest"))
        self.redirect("/", status=303)


def make_app() -> tornado.web.Application:
    """Make an application with a guest book whose form needs the token."""
    return tornado.web.Application(
        [(r"/", GuestBookHandler)],
        xsrf_cookies=True,
        xsrf_cookie_kwargs={"httponly": True, "samesite": "Lax"},  # with HTTPS: secure=True, too
        template_path=HERE / "templates",
        static_path=HERE / "static",
        guests=[],
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
