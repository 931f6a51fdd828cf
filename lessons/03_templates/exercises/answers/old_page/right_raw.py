# escape() stays where raw is written.
"""The page of an old tutorial, changed for today's Tornado."""

import asyncio
import contextlib

import tornado.template
import tornado.web
from tornado.options import define, options, parse_command_line

HOUSES = ["Mill & barn", "Tower", "Boat"]

PAGE = """<!doctype html>
<title>{{ word }}</title>
<input name="word" value="{{ word }}">
{% if houses %}
<ul>{% for house in houses %}<li>{% raw escape(house) %}</li>{% end %}</ul>
{% else %}
<p>No houses</p>
{% end %}
"""


class HousesHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        word = self.get_query_argument("word", "")
        self.render("houses.html", word=word, houses=[each for each in HOUSES if word in each])


def make_app() -> tornado.web.Application:
    loader = tornado.template.DictLoader({"houses.html": PAGE})
    return tornado.web.Application([(r"/houses", HousesHandler)], template_loader=loader)


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    make_app().listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
