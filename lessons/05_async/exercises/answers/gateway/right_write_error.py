# A subclass of HTTPError, and write_error() for the text.
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
        client = AsyncHTTPClient(force_instance=True, defaults=dict(request_timeout=1))
        try:
            response = await client.fetch(f"{self.settings['upstream']}/{what}")
        except HTTPTimeoutError as error:
            raise UpstreamError(504) from error
        except (HTTPClientError, ConnectionError, OSError) as error:
            raise UpstreamError(502) from error
        finally:
            client.close()
        self.write(response.body)

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
