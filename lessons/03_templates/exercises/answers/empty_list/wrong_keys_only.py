# The prices are missing.
# Told: <li>Cabin: 110 €</li>
# Told: {% for title, price in homes.items() %}
"""A list page that has something to say when the list is empty, too."""

import asyncio
import contextlib

import tornado.template
import tornado.web
from tornado.options import define, options, parse_command_line

HOMES = {"Cabin": 110, "Windmill": 95}
PAGE = """<!doctype html><title>Homes</title>
{% if homes %}<ul>{% for title in homes %}<li>{{ title }}:  €</li>{% end %}</ul>{% else %}<p>Nothing is free.</p>{% end %}
"""


class HomesHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.render("homes.html", homes=self.settings["homes"])


def make_app(homes: dict[str, int]) -> tornado.web.Application:
    loader = tornado.template.DictLoader({"homes.html": PAGE})
    return tornado.web.Application([(r"/", HomesHandler)], template_loader=loader, homes=homes)


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    make_app(HOMES).listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
