# A class drives; errors go into the generator.
"""A story told with yield, as in Python 2, to be told with await: its events keep their order."""

import asyncio
import contextlib

import tornado.web
from tornado.options import define, options, parse_command_line


class Driver:
    def __init__(self, steps):
        self.steps = steps

    def step(self, future=None):
        with contextlib.suppress(StopIteration):
            if future is None:
                waiting = next(self.steps)
            elif future.exception():
                waiting = self.steps.throw(future.exception())
            else:
                waiting = self.steps.send(future.result())
            waiting.add_done_callback(self.step)


def drive(steps, answer=None):
    Driver(steps).step()


def story(events, ask):
    events.append("a begins")
    events.append((yield ask()))


class StoryHandler(tornado.web.RequestHandler):
    async def get(self) -> None:
        self.write({"events": await self.tell()})

    async def tell(self):
        events, ask = self.settings["events"], self.settings["ask"]
        events.append("a begins")
        events += [await ask()]
        return events


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
