"""A provider that fails in several ways: the visitor gets 502, and the log gets the reason.

Run it:  python3 learn.py run 08/faults
"""

import asyncio
import contextlib

import tornado.web
from code_flow import provider_at_fault
from tornado.escape import json_decode
from tornado.httpclient import AsyncHTTPClient
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.options import define, options, parse_command_line

ANSWERS = {
    "token": (200, '{"access_token": "the-token"}'),
    "error": (500, "Internal Server Error"),
    "page": (200, "<html>We are back soon</html>"),
    "empty": (200, "{}"),
}


class TokenHandler(tornado.web.RequestHandler):
    """The provider: what it answers is chosen by the path."""

    def get(self, name: str) -> None:
        status, body = ANSWERS[name]
        self.set_status(status)
        self.write(body)


class HomeHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.write({"open": [f"/callback/{name}" for name in ANSWERS]})


class CallbackHandler(tornado.web.RequestHandler):
    async def get(self, name: str) -> None:
        with provider_at_fault():
            answer = await AsyncHTTPClient().fetch(f"{self.settings['provider']}/{name}")
            tokens = json_decode(answer.body)
            self.write(f"The token has {len(tokens['access_token'])} characters\n")


def make_app(provider: str) -> tornado.web.Application:
    """/callback/NAME gets a token from the path NAME of the provider."""
    return tornado.web.Application(
        [("/", HomeHandler), (r"/callback/(\w+)", CallbackHandler)],
        provider=provider,
    )


def serve() -> str:
    """Serve the provider on a free port; return its address."""
    sockets = bind_sockets(0, "localhost")
    paths = "|".join(ANSWERS)
    app = tornado.web.Application([(rf"/({paths})", TokenHandler)])
    HTTPServer(app).add_sockets(sockets)
    return f"http://localhost:{sockets[0].getsockname()[1]}"


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    make_app(serve()).listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
