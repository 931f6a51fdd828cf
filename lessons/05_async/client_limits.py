"""How many requests the client makes at once, how long one may queue, how much may come back.

Run it:  python3 learn.py run 05/client_limits
The other service is played by the routes under /upstream, so nothing leaves this machine.
"""

import asyncio
import contextlib
import signal

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
        except HTTPClientError as error:  # the client hung up when it saw the Content-Length
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
    """Ask `upstream`, an address such as http://localhost:8888/upstream, through a client."""
    # max_clients belongs to the client, and is 10 unless you say otherwise; force_instance makes
    # one that is not shared with the rest of the program. max_body_size is in bytes.
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
    make_app(f"http://localhost:{options.port}/upstream").listen(options.port)
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))  # as Ctrl-C
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
