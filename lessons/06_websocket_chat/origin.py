"""Which pages may open a socket: a browser lets every page try, so the server must check.

Run it:  python3 learn.py run 06/origin
"""

import asyncio
import contextlib
from pathlib import Path

import tornado.web
import tornado.websocket
from tornado.httpclient import HTTPClientError, HTTPRequest
from tornado.options import define, options, parse_command_line

HERE = Path(__file__).parent
TRUSTED = ["https://partner.example"]


class CarefulHandler(tornado.websocket.WebSocketHandler):
    def on_message(self, message: str | bytes) -> None:
        self.write_message("The secret of the user who is logged in")


class CarelessHandler(CarefulHandler):
    def check_origin(self, origin: str) -> bool:
        return True  # as in many old tutorials: every page on the web may connect


class PageHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.render("console.html", path="/careful", examples=["What is the secret?"])


def make_app() -> tornado.web.Application:
    """Make two sockets: /careful accepts its own pages and TRUSTED, /careless any page."""
    return tornado.web.Application(
        [(r"/", PageHandler), (r"/careful", CarefulHandler), (r"/careless", CarelessHandler)],
        template_path=HERE / "templates",
        static_path=HERE / "static",
        trusted_origins=TRUSTED,
    )


async def status(url: str, origin: str) -> int:
    """Try a handshake as a page of this origin does; without an origin, as a program does."""
    headers = {"Origin": origin} if origin else {}
    try:
        socket = await tornado.websocket.websocket_connect(HTTPRequest(url, headers=headers))
    except HTTPClientError as refused:
        return refused.code
    socket.close()
    return 101


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    make_app().listen(options.port, "localhost")
    url = f"ws://localhost:{options.port}"
    print("careful  careless  Origin")
    for origin in ["", f"http://localhost:{options.port}", *TRUSTED, "https://evil.example"]:
        careful, careless = (
            await status(f"{url}/careful", origin),
            await status(f"{url}/careless", origin),
        )
        print(f"{careful:>7}  {careless:>8}  {origin or '(none)'}")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
