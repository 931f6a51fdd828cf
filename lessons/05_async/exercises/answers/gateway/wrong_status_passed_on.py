# Passes on the status of the service.
# Told: 404 Not Found
# Told: 502 Bad Gateway
# Told: The status of the service is not
"""Pass on what another service says; whatever goes wrong on the way is not the client's fault."""

import asyncio
import contextlib

import tornado.web
from tornado.httpclient import AsyncHTTPClient, HTTPClientError
from tornado.simple_httpclient import HTTPTimeoutError
from tornado.options import define, options, parse_command_line


class GatewayHandler(tornado.web.RequestHandler):
    async def get(self, what: str) -> None:
        url = f"{self.settings['upstream']}/{what}"
        try:
            response = await AsyncHTTPClient().fetch(url, request_timeout=1.0)
        except HTTPTimeoutError:
            raise tornado.web.HTTPError(504)
        except HTTPClientError as error:
            raise tornado.web.HTTPError(error.code)
        except OSError:
            raise tornado.web.HTTPError(502)
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
