# raise_error=False, then the code of the answer.
"""Pass on what another service says; whatever goes wrong on the way is not the client's fault."""

import asyncio
import contextlib

import tornado.web
from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPRequest
from tornado.simple_httpclient import HTTPTimeoutError
from tornado.options import define, options, parse_command_line


class GatewayHandler(tornado.web.RequestHandler):
    async def get(self, what: str) -> None:
        request = HTTPRequest(
            self.settings["upstream"] + "/" + what, request_timeout=1.0, connect_timeout=1.0
        )
        try:
            response = await AsyncHTTPClient().fetch(request, raise_error=False)
        except HTTPTimeoutError:
            raise tornado.web.HTTPError(504, reason="Too slow")
        except (HTTPClientError, OSError):
            raise tornado.web.HTTPError(502, reason="Nobody is there")
        if response.code >= 300:
            raise tornado.web.HTTPError(502, reason="The other service failed")
        self.set_header("Content-Type", response.headers.get("Content-Type", "text/plain"))
        self.finish(response.body)


def make_app(upstream: str = "http://localhost:8889") -> tornado.web.Application:
    return tornado.web.Application([(r"/(\w+)", GatewayHandler)], upstream=upstream)


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    make_app().listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
