"""A small reverse proxy: it passes GET requests on to two servers, and to no others."""

import asyncio
import contextlib

import tornado.web
from tornado.httpclient import AsyncHTTPClient
from tornado.options import define, options, parse_command_line

UPSTREAMS = {"shop": "http://127.0.0.1:8001", "blog": "http://127.0.0.1:8002"}


class ProxyHandler(tornado.web.RequestHandler):
    # TODO: only known names; headers; answers with an error status; 502.
    async def get(self, name: str) -> None:
        answer = await AsyncHTTPClient().fetch(f"http:/{self.request.uri}")
        self.write(answer.body)


def make_app() -> tornado.web.Application:
    return tornado.web.Application([(r"/(\w+)/.*", ProxyHandler)], upstreams=UPSTREAMS)


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    make_app().listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
