"""Parts of a request: query and form arguments, headers, and the raw request.

Run it:  python3 learn.py run 01/request_input
"""

import asyncio
import contextlib

import tornado.web
from tornado.options import define, options, parse_command_line


class RequestHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.write(
            {
                "method": self.request.method,
                "path": self.request.path,
                "query": self.request.query,
                "remote_ip": self.request.remote_ip,
                "language": self.request.headers.get("Accept-Language", "not given"),
            }
        )


class ArgumentsHandler(tornado.web.RequestHandler):
    def post(self) -> None:
        self.write(
            {
                "query": self.get_query_argument("a"),
                "all of query": self.get_query_arguments("a"),
                "body": self.get_body_argument("a", None),
                "all of body": self.get_body_arguments("a"),
                "either": self.get_argument("a"),
                "all": self.get_arguments("a"),
            }
        )


def make_app() -> tornado.web.Application:
    """Make an application: / describes the request, /arguments reads one name in six ways."""
    return tornado.web.Application([(r"/", RequestHandler), (r"/arguments", ArgumentsHandler)])


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    make_app().listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
