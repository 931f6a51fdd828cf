# Copies all headers, and deletes some; passes all headers of the answer on.
"""A small reverse proxy: it passes GET requests on to two servers, and to no others."""

import asyncio
import contextlib

import tornado.web
from tornado.httpclient import AsyncHTTPClient
from tornado.options import define, options, parse_command_line

UPSTREAMS = {"shop": "http://127.0.0.1:8001", "blog": "http://127.0.0.1:8002"}


class ProxyHandler(tornado.web.RequestHandler):
    async def get(self, name):
        try:
            server = self.settings["upstreams"][name]
        except KeyError:
            return self.send_error(404)
        headers = self.request.headers.copy()
        gone = ["Connection", "Keep-Alive", "TE", "Upgrade", "Transfer-Encoding", "Trailer"]
        for header in gone + headers.get("Connection", "").replace(" ", "").split(","):
            if header in headers:
                del headers[header]
        headers["X-Real-IP"] = self.request.remote_ip
        _, _, rest = self.request.uri[1:].partition("/")
        try:
            answer = await AsyncHTTPClient().fetch(
                f"{server}/{rest}", headers=headers, follow_redirects=False, raise_error=False
            )
        except Exception as error:
            self.set_status(502)
            return self.finish(f"The server behind does not answer: {error}")
        self.set_status(answer.code)
        for header, value in answer.headers.get_all():
            if header not in ("Connection", "Keep-Alive", "Transfer-Encoding", "Content-Length"):
                self.set_header(header, value)
        self.finish(answer.body or None)


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
