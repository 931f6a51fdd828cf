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
        full_at = max(buckets.get(user, now), now) + 1 / PER_SECOND
        if full_at > now + BURST / PER_SECOND:
            raise tornado.web.HTTPError(429)
        buckets[user] = full_at
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
