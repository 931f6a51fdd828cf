# Tries twice, within one second altogether.
"""Pass on what another service says; whatever goes wrong on the way is not the client's fault."""

import asyncio
import contextlib

import tornado.web
from tornado.httpclient import AsyncHTTPClient, HTTPClientError
from tornado.simple_httpclient import HTTPTimeoutError
from tornado.options import define, options, parse_command_line


class UpstreamError(tornado.web.HTTPError):
    pass


class GatewayHandler(tornado.web.RequestHandler):
    async def get(self, what: str) -> None:
        try:
            async with asyncio.timeout(1):
                self.write(await self.ask(what) or await self.ask(what) or b"")
        except TimeoutError:
            raise UpstreamError(504) from None
        if not self.answered:
            raise UpstreamError(502)

    async def ask(self, what):
        self.answered = False
        url = f"{self.settings['upstream']}/{what}"
        with contextlib.suppress(HTTPClientError, OSError):
            response = await AsyncHTTPClient().fetch(url, request_timeout=5)
            self.answered = True
            return response.body

    def write_error(self, status_code, **kwargs):
        self.finish(f"{status_code}: the other service failed\n")


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
