# Each task is awaited before the next one is made.
# Told: nobody else asks -> price answered -> stock asked
"""One page out of two slow services: GET /shop answers {"price": 12, "stock": 3}."""

import asyncio
import contextlib

import tornado.web
from tornado.escape import json_decode
from tornado.httpclient import AsyncHTTPClient
from tornado.options import define, options, parse_command_line


class ShopHandler(tornado.web.RequestHandler):
    async def get(self) -> None:
        price = await asyncio.create_task(self.ask("price"))
        stock = await asyncio.create_task(self.ask("stock"))
        self.write({"price": price, "stock": stock})

    async def ask(self, what: str) -> int:
        response = await AsyncHTTPClient().fetch(f"{self.settings['upstream']}/{what}")
        return json_decode(response.body)[what]


def make_app(upstream: str = "http://localhost:8889") -> tornado.web.Application:
    return tornado.web.Application([(r"/shop", ShopHandler)], upstream=upstream)


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    make_app().listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
