# Lets fetch() raise, and takes the answer from the exception.
"""A small reverse proxy: it passes GET requests on to two servers, and to no others."""

import asyncio
import contextlib

import tornado.web
from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPRequest
from tornado.options import define, options, parse_command_line

UPSTREAMS = {"shop": "http://127.0.0.1:8001", "blog": "http://127.0.0.1:8002"}


HOP = "connection keep-alive proxy-authenticate proxy-authorization te trailer upgrade".split()


class ProxyHandler(tornado.web.RequestHandler):
    async def get(self, name):
        server = self.settings["upstreams"].get(name)
        if server is None:
            raise tornado.web.HTTPError(404)
        hop = HOP + [n.strip().lower() for n in self.request.headers.get("Connection", "").split(",")]
        headers = {k: v for k, v in self.request.headers.items() if k.lower() not in hop}
        headers |= {"X-Real-Ip": self.request.remote_ip}
        request = HTTPRequest(
            server + self.request.uri[len(name) + 1 :], headers=headers, follow_redirects=False
        )
        try:
            answer = await AsyncHTTPClient().fetch(request)
        except HTTPClientError as error:
            if error.response is None:
                raise tornado.web.HTTPError(502) from error
            answer = error.response
        except OSError as error:
            raise tornado.web.HTTPError(502) from error
        self.set_status(answer.code)
        self.set_header("Content-Type", answer.headers.get("Content-Type", "text/plain"))
        if location := answer.headers.get("Location"):
            self.set_header("Location", location)
        if answer.body:
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
