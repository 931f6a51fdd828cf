"""The application to deploy: it reads the headers of the proxy, and stops without losing a request.

Run it:  python3 learn.py run 09
"""

import asyncio
import contextlib
import os
import signal
from pathlib import Path
from typing import Any

import tornado.httpserver
import tornado.web
import tornado.websocket
from tornado.options import define, options, parse_command_line

HERE = Path(__file__).parent
PROXIES = ["127.0.0.1", "::1"]  # our own proxies in X-Forwarded-For


class Work:
    """The requests and sockets in progress; `none` is set when the last of them has ended."""

    def __init__(self) -> None:
        self.handlers: set[tornado.web.RequestHandler] = set()
        self.none = asyncio.Event()

    def end(self, handler: tornado.web.RequestHandler) -> None:
        self.handlers.discard(handler)
        if not self.handlers:
            self.none.set()


class CountedHandler(tornado.web.RequestHandler):
    def prepare(self) -> None:
        self.settings["work"].handlers.add(self)

    def on_finish(self) -> None:
        self.settings["work"].end(self)

    def told(self) -> dict[str, Any]:
        request = self.request
        return {
            "process": os.getpid(),
            "address": request.remote_ip,
            "scheme": request.protocol,
            "host": request.host,
        }


class WhoHandler(CountedHandler):
    def get(self) -> None:
        self.write(self.told())


class SlowHandler(CountedHandler):
    async def get(self) -> None:
        await asyncio.sleep(0.5)
        self.write(self.told())


class EchoHandler(tornado.websocket.WebSocketHandler):
    def open(self) -> None:
        self.settings["work"].handlers.add(self)

    def on_message(self, message: str | bytes) -> None:
        self.write_message(f"{message!r} heard by process {os.getpid()}")

    def on_close(self) -> None:
        self.settings["work"].end(self)


class PageHandler(CountedHandler):
    def get(self) -> None:
        self.render("who.html", told=self.told())


def make_app() -> tornado.web.Application:
    """/, /who and /slow show which process answers; /echo is a WebSocket. Never with debug=True."""
    return tornado.web.Application(
        [
            (r"/", PageHandler),
            (r"/who", WhoHandler),
            (r"/slow", SlowHandler),
            (r"/echo", EchoHandler),
        ],
        template_path=HERE / "templates",
        static_path=HERE / "static",
        websocket_ping_interval=20,  # below nginx's proxy_read_timeout of 60 seconds
        work=Work(),
    )


async def leave(server: tornado.httpserver.HTTPServer, work: Work) -> None:
    """Accept nothing new, close the sockets, and answer the requests in progress."""
    server.stop()
    for handler in work.handlers.copy():
        if isinstance(handler, EchoHandler):
            handler.close(1001, "restarting")
    while work.handlers:
        work.none.clear()
        await work.none.wait()


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    define("address", default="127.0.0.1", help="who can connect: the proxy on this computer")
    parse_command_line()
    app = make_app()
    # region signal
    stopped = asyncio.Event()
    with contextlib.suppress(NotImplementedError):  # Windows has no SIGTERM
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    # endregion
    # region server
    server = tornado.httpserver.HTTPServer(app, xheaders=True, trusted_downstream=PROXIES)
    server.listen(options.port, address=options.address)
    # endregion
    print(f"Open http://localhost:{options.port}")
    # region stop
    try:
        await stopped.wait()
    finally:  # Ctrl-C cancels the wait
        await leave(server, app.settings["work"])
    # endregion


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
