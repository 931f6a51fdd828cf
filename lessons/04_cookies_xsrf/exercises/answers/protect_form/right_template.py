# A template with {% module xsrf_form_html() %}, inside a whole page.
"""A page that takes comments, by its form and as JSON. No other site may send them."""

import asyncio
import contextlib

import tornado.escape
import tornado.template
import tornado.web
from tornado.options import define, options, parse_command_line


PAGE = """<!DOCTYPE html>
<html lang="en">
<head><title>Comments</title></head>
<body>
<form method="get" action="/"><input name="q"></form>
<form action="/" method="post">
  <label>Comment <input type="text" name="comment"></label>
  {% module xsrf_form_html() %}
  <button type="submit">Send</button>
</form>
</body>
</html>
"""


class CommentHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.render("page.html")

    def post(self) -> None:
        self.write({"comment": self.get_body_argument("comment")})

    def put(self) -> None:
        self.write({"comment": tornado.escape.json_decode(self.request.body)["comment"]})


def make_app() -> tornado.web.Application:
    return tornado.web.Application(
        [(r"/", CommentHandler)],
        xsrf_cookies=True,
        xsrf_cookie_kwargs={"samesite": "Lax", "httponly": True, "max_age": 3600},
        template_loader=tornado.template.DictLoader({"page.html": PAGE}),
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
