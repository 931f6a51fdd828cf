# Looks the name up in prepare(), and yields the headers.
"""A small reverse proxy: it passes GET requests on to two servers, and to no others."""

import asyncio
import contextlib

import tornado.web
from tornado.httpclient import AsyncHTTPClient, HTTPClientError
from tornado.options import define, options, parse_command_line

UPSTREAMS = {"shop": "http://127.0.0.1:8001", "blog": "http://127.0.0.1:8002"}


class ProxyHandler(tornado.web.RequestHandler):
    def prepare(self):
        self.server = self.settings["upstreams"].get(self.path_args[0])
        if not self.server:
            self.send_error(404)

    def passed_on(self):
        listed = {x.strip().title() for x in self.request.headers.get("Connection", "").split(",")}
        listed |= {"Connection", "Keep-Alive", "Te", "Upgrade", "Trailer", "Transfer-Encoding"}
        listed.add("X-Real-Ip")
        for name, value in self.request.headers.get_all():
            if name not in listed:
                yield name, value
        yield "X-Real-Ip", self.request.remote_ip

    async def get(self, name):
        rest = self.request.path.removeprefix("/" + name)
        if self.request.query:
            rest += "?" + self.request.query
        try:
            answer = await AsyncHTTPClient().fetch(
                self.server + rest,
                headers=dict(self.passed_on()),
                raise_error=False,
                follow_redirects=False,
                connect_timeout=2,
            )
        except (OSError, HTTPClientError) as error:
            raise tornado.web.HTTPError(502, "%s", error)
        self.set_status(answer.code, answer.reason)
        for name in {"Content-Type", "Location", "Etag"} & set(answer.headers):
            self.set_header(name, answer.headers[name])
        if answer.code not in (204, 304):
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
