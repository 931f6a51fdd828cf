# The scheme is always https.
# Told: 200 OK
# Told: WhoHandler: leave it unchanged. make_server() decides what self.request
"""Behind two proxies, 10.0.0.5 and one on this machine, every visitor seems to be 127.0.0.1."""

import asyncio
import contextlib

import tornado.httpserver
import tornado.web
from tornado.options import define, options, parse_command_line


class WhoHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.write({"address": self.request.remote_ip, "scheme": "https"})


def make_app() -> tornado.web.Application:
    return tornado.web.Application([(r"/who", WhoHandler)])


def make_server(app: tornado.web.Application) -> tornado.httpserver.HTTPServer:
    return tornado.httpserver.HTTPServer(
        app, xheaders=True, protocol='https', trusted_downstream=["127.0.0.1", "10.0.0.5"]
    )


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    make_server(make_app()).listen(options.port, address="127.0.0.1")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
