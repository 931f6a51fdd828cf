"""Templates that do not work, and what Tornado says: when it reads them, or when it fills them.

Run it:  python3 learn.py run 03/mistakes
"""

import asyncio
import contextlib
import signal
from pathlib import Path

import tornado.template
import tornado.web
from tornado.options import define, options, parse_command_line

HERE = Path(__file__).parent

# region mistakes
MISTAKES = {
    "endif": "{% if price < 100 %}cheap{% endif %}",
    "no end": "{% for key in homes %}{{ key }}",
    "one end too many": "{{ price }}{% end %}",
    "else with a condition": "{% if price < 100 %}cheap{% else price < 150 %}fair{% end %}",
    "misspelt": "{% fro key in homes %}{{ key }}{% end %}",
    "not closed": "Only {{ price",
    "braces at the end": "{{ {'a': {'b': 1}} }}",
    "super": "{% super() %}",
    "unknown name": "{{ prise }}",
    "None": "{{ homes.get('castle') }}",
}
# endregion


def said(text: str) -> str:
    """Return what the template gives, or the error that it raises."""
    try:
        template = tornado.template.Template(text)  # reads and compiles it: ParseError, SyntaxError
        return template.generate(price=120, homes={"cabin": 110}).decode()  # fills it: any error
    except Exception as error:
        return f"{type(error).__name__}: {error}"


class MistakesHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        came = {name: said(text) for name, text in MISTAKES.items()}
        self.render("mistakes.html", mistakes=MISTAKES, came=came)


class PageHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.render("mistake.html", homes={"cabin": 110})  # the template also wants a price


def make_app() -> tornado.web.Application:
    """All the mistakes at /; a page that fails as a page does, with a 500, at /page."""
    return tornado.web.Application(
        [(r"/", MistakesHandler), (r"/page", PageHandler)],
        template_path=HERE / "templates",
        static_path=HERE / "static",
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
