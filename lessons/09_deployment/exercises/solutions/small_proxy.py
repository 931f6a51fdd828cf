"""A small reverse proxy: it passes GET requests on to two servers, and to no others."""

import asyncio
import contextlib

import tornado.web
from tornado.httpclient import AsyncHTTPClient, HTTPClientError
from tornado.httputil import HTTPHeaders
from tornado.options import define, options, parse_command_line

UPSTREAMS = {"shop": "http://127.0.0.1:8001", "blog": "http://127.0.0.1:8002"}
HOP_BY_HOP = {"connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade"}


class ProxyHandler(tornado.web.RequestHandler):
    async def get(self, name: str) -> None:
        if name not in self.settings["upstreams"]:
            raise tornado.web.HTTPError(404)
        sent = self.request.headers
        named = {each.strip().lower() for each in sent.get("Connection", "").split(",")}
        headers = HTTPHeaders()
        for key, value in sent.get_all():
            if key.lower() not in HOP_BY_HOP | named:
                headers.add(key, value)
        headers["X-Real-IP"] = self.request.remote_ip
        url = self.settings["upstreams"][name] + self.request.uri.removeprefix(f"/{name}")
        client = AsyncHTTPClient()
        try:
            answer = await client.fetch(
                url, headers=headers, follow_redirects=False, raise_error=False
            )
        except (HTTPClientError, OSError):
            raise tornado.web.HTTPError(502) from None
        self.set_status(answer.code, answer.reason)
        for key in ("Content-Type", "Location"):
            if key in answer.headers:
                self.set_header(key, answer.headers[key])
        if answer.body:  # 204 and 304 have none
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
