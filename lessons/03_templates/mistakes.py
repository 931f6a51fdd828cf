"""Ten mistakes in templates with their messages: when Tornado reads a template, or fills it.

Run it:  python3 learn.py run 03/mistakes
"""

import asyncio
import contextlib
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
    """Return the filled template, or the error that it raises."""
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
    """Make an application: / shows all mistakes, /page has one and answers 500."""
    return tornado.web.Application(
        [(r"/", MistakesHandler), (r"/page", PageHandler)],
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
