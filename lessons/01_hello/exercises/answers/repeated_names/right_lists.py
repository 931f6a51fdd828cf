# Two lists; their last items, and their sum.
"""Tell apart what came in the query and what came in the body.

POST /a?a=1&a=2 with the form a=3 answers {"query": "2", "body": "3", "all": ["1", "2", "3"]}.
"""

import asyncio
import contextlib

import tornado.web
from tornado.options import define, options, parse_command_line


class EchoHandler(tornado.web.RequestHandler):
    def post(self, name: str) -> None:
        in_query = self.get_query_arguments(name)
        in_body = self.get_body_arguments(name)
        if not in_query or not in_body:
            raise tornado.web.HTTPError(400)
        self.write({"query": in_query[-1], "body": in_body[-1], "all": in_query + in_body})


def make_app() -> tornado.web.Application:
    return tornado.web.Application([(r"/(?P<name>\w+)", EchoHandler)])


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    make_app().listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
