"""Limits of the client: requests at the same time, the wait in its queue, the size of an answer.

Run it:  python3 learn.py run 05/client_limits
The routes under /upstream stand for the other service, so no request leaves this computer.
"""

import asyncio
import contextlib

import tornado.web
from tornado.httpclient import AsyncHTTPClient, HTTPClientError
from tornado.options import define, options, parse_command_line


class ManyHandler(tornado.web.RequestHandler):
    async def get(self) -> None:
        counts = self.settings["counts"]
        counts.clear()
        url, client = f"{self.settings['upstream']}/count", self.settings["client"]
        await asyncio.gather(*(client.fetch(url) for _ in range(6)))
        self.write({"asked": len(counts), "most at once": max(counts)})


class BigHandler(tornado.web.RequestHandler):
    async def get(self) -> None:
        try:
            await self.settings["client"].fetch(f"{self.settings['upstream']}/big")
        except HTTPClientError as error:
            # The client closed the connection after it had read Content-Length.
            raise tornado.web.HTTPError(502, "upstream: %s", error) from None


class CountHandler(tornado.web.RequestHandler):
    running = 0

    async def get(self) -> None:
        CountHandler.running += 1
        self.settings["counts"].append(CountHandler.running)
        await asyncio.sleep(0.2)
        CountHandler.running -= 1


class BigUpstreamHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.write("x" * 200_000)


def make_app(upstream: str) -> tornado.web.Application:
    """Ask `upstream`, an address like http://localhost:8888/upstream, through one client."""
    # The default of max_clients is 10. force_instance makes a client of its own, which the rest of
    # the program does not share. max_body_size is in bytes.
    client = AsyncHTTPClient(force_instance=True, max_clients=2, max_body_size=100_000)
    return tornado.web.Application(
        [
            (r"/", ManyHandler),
            (r"/big", BigHandler),
            (r"/upstream/count", CountHandler),
            (r"/upstream/big", BigUpstreamHandler),
        ],
        upstream=upstream,
        client=client,
        counts=[],
    )


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    make_app(f"http://localhost:{options.port}/upstream").listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
