# The attribute has no quotes.
# Told: now it has <input name value onfocus autofocus>
# Told: with quotes around it
"""A comment of a stranger in three places of a page. In none of them may it become code."""

import asyncio
import contextlib

import tornado.template
import tornado.web
from tornado.options import define, options, parse_command_line

PAGE = """<!doctype html>
<form><input name="comment" value={{ comment }}><button>Send</button></form>
<p>{{ comment }}</p>
<script>let comment = {% raw json_encode(comment) %};</script>
"""


class CommentHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.render("comment.html", comment=self.get_query_argument("comment", ""))


def make_app() -> tornado.web.Application:
    loader = tornado.template.DictLoader({"comment.html": PAGE})
    return tornado.web.Application([(r"/", CommentHandler)], template_loader=loader)


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    make_app().listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
