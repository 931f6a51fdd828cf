# One for all.
# Told: of its own
"""Limit how fast each user may send."""

import asyncio
import contextlib
import time
from collections.abc import Callable

import tornado.web
from tornado.options import define, options, parse_command_line

BURST, PER_SECOND = 3, 1


class SendHandler(tornado.web.RequestHandler):
    def post(self) -> None:
        buckets, now = self.settings["buckets"], self.settings["clock"]()
        user = self.get_query_argument("user")
        tokens, since = buckets.get("", (BURST, now))
        tokens = min(BURST, tokens + (now - since) * PER_SECOND)
        if tokens < 1:
            raise tornado.web.HTTPError(429)
        buckets[""] = (tokens - 1, now)
        self.write({"sent": True})


def make_app(clock: Callable[[], float] = time.monotonic) -> tornado.web.Application:
    return tornado.web.Application([(r"/send", SendHandler)], clock=clock, buckets={})


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    make_app().listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
