"""Errors of a request to another service, and the status to answer for each of them.

Run it:  python3 learn.py run 05/client_errors
The routes under /upstream stand for the other service, so no request leaves this computer.
"""

import asyncio
import contextlib

import tornado.web
from tornado.httpclient import AsyncHTTPClient, HTTPClientError
from tornado.options import define, options, parse_command_line
from tornado.simple_httpclient import HTTPTimeoutError

PATIENCE = 1.0  # seconds; the default of the client is 20


class IndexHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        for path in ("ask/fine", "ask/moved", "ask/missing", "ask/slow", "refused/fine"):
            self.write(f'<p><a href="/{path}">{path}</a></p>\n')


class AskHandler(tornado.web.RequestHandler):
    def initialize(self, upstream: str) -> None:
        self.upstream = upstream

    async def get(self, what: str) -> None:
        try:
            response = await AsyncHTTPClient().fetch(
                f"{self.upstream}/{what}", connect_timeout=PATIENCE, request_timeout=PATIENCE
            )
        except HTTPTimeoutError as error:
            raise tornado.web.HTTPError(504, "upstream: %s", error) from None
        except (HTTPClientError, OSError) as error:
            # HTTPClientError: the answer is 4xx or 5xx. OSError: nothing listens there.
            raise tornado.web.HTTPError(502, "upstream: %s", error) from None
        self.write(f"{response.code} {response.reason} from {response.effective_url}\n")


class UpstreamHandler(tornado.web.RequestHandler):
    async def get(self, what: str) -> None:
        match what:
            case "fine":
                self.write("fine\n")
            case "moved":
                self.redirect("fine")  # the client follows it, unless follow_redirects=False
            case "slow":
                await asyncio.sleep(60)
            case _:
                raise tornado.web.HTTPError(404)


def make_app(upstream: str) -> tornado.web.Application:
    """Ask `upstream`, an address like http://localhost:8888/upstream, for good and bad pages."""
    return tornado.web.Application(
        [
            (r"/", IndexHandler),
            (r"/ask/(\w+)", AskHandler, {"upstream": upstream}),
            # Nothing listens on port 1.
            (r"/refused/(\w+)", AskHandler, {"upstream": "http://localhost:1"}),
            (r"/upstream/(\w+)", UpstreamHandler),
        ]
    )


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    make_app(f"http://localhost:{options.port}/upstream").listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
