"""The directives of templates beside their results, except extends, block and autoescape.

Run it:  python3 learn.py run 03/directives  (one directive: /while)
"""

import asyncio
import contextlib
from pathlib import Path

import tornado.template
import tornado.web
from tornado.options import define, options, parse_command_line

TEMPLATES = Path(__file__).parent / "templates"
PLACES = ["hill", "", "moor"]

# region snippets
SNIPPETS = {
    "expression": "{{ nights * 60 }} for {{ ', '.join(p.title() for p in places if p) }}",
    "if": "{% if nights > 6 %}weeks{% elif nights > 1 %}days{% else %}a day{% end %}",
    "for": "{% for p in places %}{% if not p %}{% continue %}{% end %}[{{ p }}]{% end %}",
    "for_else": "{% for p in places %}{% if p == 'sea' %}{% break %}{% end %}"
    "{% else %}no sea{% end %}",
    "while": "{% set n = nights %}{% while n > 0 %}{{ n }} {% set n -= 1 %}{% end %}",
    "try": "{% try %}{{ nights // guests }}{% except ZeroDivisionError %}nobody{% end %}",
    "import": "{% import math %}{{ math.ceil(nights / 7) }} week",
    "from": "{% from datetime import date %}{{ date(2030, 5, 17).strftime('%d/%m') }}",
    "include": "{% include 'note.html' %}",
    "module": "{% module Template('note.html', nights=9) %}",
    "apply": "{% apply linkify %}see http://example.com{% end %}",
    "raw": "{% raw '<b>bold</b>' %}, {{ '<b>not</b>' }}",
    "comment": "a{# this is not sent #}b{% comment nor is this %}c",
    "whitespace": "{% whitespace oneline %}one\n    line",
    "literal": "{{!this}} {%!that%} and {{ {'a': {'b': 1} } }}",
}
# endregion


class SnippetsHandler(tornado.web.RequestHandler):
    def fill(self, text: str) -> bytes:
        """Fill a template that is not in a file, with the names that render_string() would pass."""
        loader = tornado.template.Loader(str(TEMPLATES))
        names = self.get_template_namespace() | {"nights": 3, "guests": 0, "places": PLACES}
        return tornado.template.Template(text, loader=loader).generate(**names)

    def get(self, name: str) -> None:
        if name in SNIPPETS:
            self.set_header("Content-Type", "text/plain; charset=UTF-8")
            self.write(self.fill(SNIPPETS[name]).strip() + b"\n")
        else:
            filled = {name: self.fill(text).decode() for name, text in SNIPPETS.items()}
            self.render("directives.html", snippets=SNIPPETS, filled=filled)


def make_app() -> tornado.web.Application:
    """Make an application: / shows all snippets with their results, /NAME the result of one."""
    return tornado.web.Application(
        [(r"/(\w*)", SnippetsHandler)],
        template_path=TEMPLATES,
        static_path=Path(__file__).parent / "static",
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
