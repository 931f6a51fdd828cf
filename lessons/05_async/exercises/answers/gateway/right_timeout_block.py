# asyncio.timeout() around a helper; the errors in JSON; a logger of its own.
"""Pass on what another service says; whatever goes wrong on the way is not the client's fault."""

import asyncio
import contextlib
import logging

import tornado.web
from tornado.httpclient import AsyncHTTPClient, HTTPClientError
from tornado.options import define, options, parse_command_line


log = logging.getLogger("gateway")


class GatewayHandler(tornado.web.RequestHandler):
    async def get(self, what: str) -> None:
        try:
            async with asyncio.timeout(1):
                body = await self.ask(what)
        except TimeoutError:
            self.fail(504, "too slow")
        except (HTTPClientError, OSError) as error:
            log.warning("upstream: %s", error)
            self.fail(502, "broken")
        else:
            self.write(body)

    async def ask(self, what):
        client = AsyncHTTPClient()
        response = await client.fetch(f"{self.settings['upstream']}/{what}")
        return response.body

    def fail(self, status, problem):
        self.set_status(status)
        self.write({"error": problem})


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
