# Forgets the import of HTTPTimeoutError.
# Told: NameError
# Told: tornado.simple_httpclient
"""Pass on the answer of another service. A failure of that service is not the client's fault."""

import asyncio
import contextlib

import tornado.web
from tornado.httpclient import AsyncHTTPClient, HTTPClientError
from tornado.options import define, options, parse_command_line


class GatewayHandler(tornado.web.RequestHandler):
    async def get(self, what: str) -> None:
        url = f"{self.settings['upstream']}/{what}"
        try:
            response = await AsyncHTTPClient().fetch(url, request_timeout=1.0)
        except HTTPTimeoutError:
            raise tornado.web.HTTPError(504) from None
        except (HTTPClientError, OSError):
            raise tornado.web.HTTPError(502) from None
        self.write(response.body)


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
