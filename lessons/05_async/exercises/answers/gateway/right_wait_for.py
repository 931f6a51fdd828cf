# asyncio.wait_for() measures the second; everything else is 502.
"""Pass on what another service says; whatever goes wrong on the way is not the client's fault."""

import asyncio
import contextlib

import tornado.web
from tornado.httpclient import AsyncHTTPClient
from tornado.options import define, options, parse_command_line


class GatewayHandler(tornado.web.RequestHandler):
    async def get(self, what: str) -> None:
        url = f"{self.settings['upstream']}/{what}"
        try:
            response = await asyncio.wait_for(AsyncHTTPClient().fetch(url), timeout=1)
        except (asyncio.TimeoutError, TimeoutError):
            self.send_error(504)
        except Exception:
            self.send_error(502)
        else:
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
