"""A WSGI application inside Tornado: in the event loop, where it blocks, and in threads.

Run it:  python3 learn.py run 01/wsgi
"""

import asyncio
import concurrent.futures
import contextlib
import time
from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIEnvironment

import tornado.httpclient
import tornado.web
import tornado.wsgi
from tornado.options import define, options, parse_command_line

SECONDS = 0.3  # how long the WSGI application works for one request


def old_application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Answer as an application of Flask or Django does: one call, which blocks."""
    time.sleep(SECONDS)
    start_response("200 OK", [("Content-Type", "text/plain; charset=UTF-8")])
    return [f"WSGI at {environ['PATH_INFO']}\n".encode()]


class PulseHandler(tornado.web.RequestHandler):
    """Request three pages of the WSGI application, and measure the longest pause of the loop."""

    async def get(self, kind: str) -> None:
        client = tornado.httpclient.AsyncHTTPClient()
        base = f"{self.request.protocol}://{self.request.host}/{kind}/"
        start = time.monotonic()
        longest = 0.0
        asked = asyncio.gather(*[client.fetch(f"{base}{number}") for number in range(3)])
        while not asked.done():
            before = time.monotonic()
            await asyncio.sleep(0.01)
            longest = max(longest, time.monotonic() - before)
        took = time.monotonic() - start
        self.write(f"3 pages in {took:.1f} s; the event loop was blocked for {longest:.1f} s\n")


def make_app(threads: concurrent.futures.Executor) -> tornado.web.Application:
    """Make an application with the WSGI application at two places.

    Args:
        threads: the executor that runs it at /threads/.
    """
    # region containers
    in_the_loop = tornado.wsgi.WSGIContainer(old_application)
    in_threads = tornado.wsgi.WSGIContainer(old_application, executor=threads)
    routes = [
        (r"/pulse/(loop|threads)", PulseHandler),
        (r"/loop/.*", tornado.web.FallbackHandler, {"fallback": in_the_loop}),
        (r".*", tornado.web.FallbackHandler, {"fallback": in_threads}),
    ]
    # endregion
    return tornado.web.Application(routes)


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    with concurrent.futures.ThreadPoolExecutor(max_workers=4) as threads:
        make_app(threads).listen(options.port, "localhost")
        print(f"Open http://localhost:{options.port}")
        await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
