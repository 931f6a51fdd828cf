# The handler forgets await.
# Told: 500 Internal Server Error
# Told: with await for yield
"""A story told with yield, as in Python 2, to be told with await: its events keep their order."""

import asyncio
import contextlib

import tornado.web
from tornado.options import define, options, parse_command_line


def drive(steps, answer=None):
    try:
        future = steps.send(answer)
    except StopIteration:
        return
    future.add_done_callback(lambda future: drive(steps, future.result()))


def story(events, ask):
    events.append("a begins")
    events.append((yield ask()))


class StoryHandler(tornado.web.RequestHandler):
    async def get(self) -> None:
        events = self.settings["events"]
        events.append("a begins")
        events.append(self.settings["ask"]())
        self.write({"events": events})


def make_app(ask=lambda: asyncio.ensure_future(asyncio.sleep(1, "a ends"))):
    return tornado.web.Application([(r"/", StoryHandler)], ask=ask, events=[])


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    make_app().listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
