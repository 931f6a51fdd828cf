"""Load something before the first request: await it in main(), before listen().

Run it:  python3 learn.py run 05/startup
A second server in this process stands for the service that has the catalogue.
"""

import asyncio
import contextlib

import tornado.escape
import tornado.httpserver
import tornado.netutil
import tornado.web
from tornado.httpclient import AsyncHTTPClient
from tornado.options import define, options, parse_command_line


class CatalogueHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.write({"planets": self.settings["catalogue"]})


class UpstreamHandler(tornado.web.RequestHandler):
    async def get(self) -> None:
        await asyncio.sleep(0.2)
        self.write({"planets": ["Mercury", "Venus", "Earth", "Mars"]})


async def load_catalogue(upstream: str) -> list[str]:
    """Fetch the catalogue from the service."""
    response = await AsyncHTTPClient().fetch(f"{upstream}/catalogue")
    return tornado.escape.json_decode(response.body)["planets"]


def make_app(catalogue: list[str]) -> tornado.web.Application:
    """Serve a catalogue that has been loaded before."""
    return tornado.web.Application([(r"/", CatalogueHandler)], catalogue=catalogue)


def start_upstream() -> str:
    """Start the other service on a free port of this machine, and return its address."""
    sockets = tornado.netutil.bind_sockets(0, "127.0.0.1")
    app = tornado.web.Application([(r"/catalogue", UpstreamHandler)])
    tornado.httpserver.HTTPServer(app).add_sockets(sockets)
    return f"http://127.0.0.1:{sockets[0].getsockname()[1]}"


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    # The event loop runs already, so await works.
    catalogue = await load_catalogue(start_upstream())
    make_app(catalogue).listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
