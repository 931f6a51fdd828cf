# Reads the bytes in request.query_arguments and body_arguments.
"""Tell apart what came in the query and what came in the body.

POST /a?a=1&a=2 with the form a=3 answers {"query": "2", "body": "3", "all": ["1", "2", "3"]}.
"""

import asyncio
import contextlib
import json

import tornado.web
from tornado.options import define, options, parse_command_line


class EchoHandler(tornado.web.RequestHandler):
    def post(self, name: str) -> None:
        try:
            query = [v.decode("utf-8") for v in self.request.query_arguments[name]]
            body = [v.decode("utf-8") for v in self.request.body_arguments[name]]
        except KeyError:
            self.set_status(400, "Missing argument")
            self.finish("Missing argument " + name)
            return
        self.set_header("Content-Type", "application/json")
        self.write(json.dumps({"query": query[-1], "body": body[-1], "all": [*query, *body]}))


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
