"""Escaping and its switches: the same text from a visitor, on a page for each switch.

Run it:  python3 learn.py run 03/escaping  (or all of it off: --autoescape=none)
"""

import asyncio
import contextlib
from pathlib import Path

import tornado.web
from tornado.options import define, options, parse_command_line

HERE = Path(__file__).parent

SWITCHES = {
    "escaped": "nothing to do: {{ text }}",
    "raw": "off for one expression: {% raw text %}",
    "file": "off for the file: {% autoescape None %}",
    "file_escape": "off for the file, on by hand: {{ escape(text) }}",
    "twice": "on, and by hand as well: {{ escape(text) }}",
    "csp": "off, but a header forbids scripts in the page",
}


class CommentHandler(tornado.web.RequestHandler):
    def respond(self, switch: str, text: str) -> None:
        if switch == "csp":
            self.set_header("Content-Security-Policy", "script-src 'self'")
            switch = "raw"
        self.render(f"echo/{switch}.html", text=text, switches=SWITCHES)

    def get(self, switch: str) -> None:
        self.respond(switch, "")

    def post(self, switch: str) -> None:
        self.respond(switch, self.get_body_argument("text"))


def make_app(autoescape: str | None = "xhtml_escape") -> tornado.web.Application:
    """Make an application with a form that shows the text that was sent, at /SWITCH.

    Args:
        autoescape: the default of all templates. Tornado keeps one loader for a folder, so in one
            process the default of the first application counts.
    """
    return tornado.web.Application(
        [
            (r"/", tornado.web.RedirectHandler, {"url": "/escaped", "permanent": False}),
            (rf"/({'|'.join(SWITCHES)})", CommentHandler, {}, "comment"),
        ],
        autoescape=autoescape,
        template_path=HERE / "templates",
        static_path=HERE / "static",
    )


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    define("autoescape", default="xhtml_escape", help="xhtml_escape, or none for no escaping")
    parse_command_line()
    make_app(None if options.autoescape == "none" else options.autoescape).listen(
        options.port, "localhost"
    )
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
