"""The same text from a visitor in five places of a page: each has its own attack and protection.

Run it:  python3 learn.py run 03/contexts
"""

import asyncio
import contextlib
import json
from pathlib import Path

import tornado.template
import tornado.web
from tornado.options import define, options, parse_command_line

HERE = Path(__file__).parent

# region places
PLACES = {  # where: (careless, careful, the attack)
    "text": ("<p>{% raw text %}</p>", "<p>{{ text }}</p>", "<img src=x onerror=alert(1)>"),
    "attribute": ("<input value={{ text }}>", '<input value="{{ text }}">', "x onclick=alert(1)"),
    "link": (
        '<a href="{{ text }}">my page</a>',
        '<a href="{{ text if text.startswith("https://") else "" }}">my page</a>',
        "javascript:alert(1)",
    ),
    "script": (
        "<script>let note = {% raw json.dumps(text) %};</script>",
        "<script>let note = {% raw json_encode(text) %};</script>",
        "</script><script>alert(1)</script>",
    ),
    "query": (
        '<a href="/pay?to={{ text }}&coins=1">pay</a>',
        '<a href="/pay?to={{ url_escape(text) }}&coins=1">pay</a>',
        "Eve&coins=1000#",
    ),
}
# endregion


class StartHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.render("contexts.html", places=PLACES)


class PlaceHandler(tornado.web.RequestHandler):
    def get(self, care: str, place: str) -> None:
        careless, careful, attack = PLACES[place]
        template = tornado.template.Template(careful if care == "careful" else careless)
        # json_encode, url_escape, escape, linkify and squeeze are in every template.
        self.finish(template.generate(text=self.get_query_argument("text", attack), json=json))


class PayHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.write({name: self.get_query_argument(name) for name in ("to", "coins")})


def make_app() -> tornado.web.Application:
    """Make an application with each place at /careless/PLACE and /careful/PLACE.

    The text is the attack for this place, or the argument text.
    """
    place = rf"/(careless|careful)/({'|'.join(PLACES)})"
    return tornado.web.Application(
        [(r"/", StartHandler), (place, PlaceHandler, {}, "place"), (r"/pay", PayHandler)],
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
