"""A form that only this site's own pages can send: the token in a hidden field.

Run it:  python3 learn.py run 04/xsrf_form
"""

import asyncio
import contextlib
import signal
from pathlib import Path

import tornado.web
from tornado.options import define, options, parse_command_line

HERE = Path(__file__).parent


class GuestBookHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        # The template holds {% module xsrf_form_html() %}: the first page sets the cookie _xsrf.
        self.render("xsrf_form.html", guests=self.settings["guests"])

    def post(self) -> None:
        # By now the token has been checked. Without it: 403, before prepare().
        self.settings["guests"].append(self.get_body_argument("guest"))
        self.redirect("/", status=303)


def make_app() -> tornado.web.Application:
    """A guest book; every verb but GET, HEAD and OPTIONS needs the token."""
    return tornado.web.Application(
        [(r"/", GuestBookHandler)],
        xsrf_cookies=True,
        xsrf_cookie_kwargs={"httponly": True, "samesite": "Lax"},  # behind TLS: secure=True too
        template_path=HERE / "templates",
        static_path=HERE / "static",
        guests=[],
    )


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    make_app().listen(options.port)
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))  # as Ctrl-C
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
