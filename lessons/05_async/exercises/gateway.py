"""Pass on the answer of another service. A failure of that service is not the client's fault."""

import asyncio
import contextlib

import tornado.web
from tornado.httpclient import AsyncHTTPClient
from tornado.options import define, options, parse_command_line


class GatewayHandler(tornado.web.RequestHandler):
    async def get(self, what: str) -> None:
        # TODO: wait for one second at most; too slow is 504, any other failure is 502.
        response = await AsyncHTTPClient().fetch(f"{self.settings['upstream']}/{what}")
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
