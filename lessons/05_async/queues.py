"""Accept work now, do it later: a bounded queue, two workers, and "come back" when it is full.

Run it:  python3 learn.py run 05/queues
"""

import asyncio
import contextlib
import logging
import signal
from collections.abc import Awaitable, Callable

import tornado.queues
import tornado.web
from tornado.options import define, options, parse_command_line


class JobsHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.write({"waiting": self.settings["jobs"].qsize(), "done": self.settings["done"]})

    def post(self) -> None:
        try:
            self.settings["jobs"].put_nowait(self.get_body_argument("name"))
        except tornado.queues.QueueFull:  # without a bound it would grow until memory is gone
            self.set_status(503)
            self.set_header("Retry-After", "1")  # seconds; raise HTTPError would drop the header
            self.write("full, come back later\n")
        else:
            self.set_status(202)  # accepted, not done
            self.write("accepted\n")


async def do(name: str) -> None:
    """Stand for the job: a mail to send, a picture to shrink."""
    await asyncio.sleep(0.5)


async def work(app: tornado.web.Application, do: Callable[[str], Awaitable[None]] = do) -> None:
    """Do the jobs of app, one after the other, for ever."""
    jobs = app.settings["jobs"]
    async for name in jobs:
        try:
            await do(name)
            app.settings["done"].append(name)
        except Exception:  # one bad job must not end the worker
            logging.exception("job %r failed", name)
        finally:
            jobs.task_done()  # what await jobs.join() counts


def make_app(room: int = 3) -> tornado.web.Application:
    """POST / puts a job into a queue with `room` places, GET / tells what is done."""
    jobs: tornado.queues.Queue[str] = tornado.queues.Queue(maxsize=room)
    return tornado.web.Application([(r"/", JobsHandler)], jobs=jobs, done=[])


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    app = make_app()
    app.listen(options.port)
    print(f"Open http://localhost:{options.port}")
    async with asyncio.TaskGroup() as workers:  # keeps them, and ends if one of them fails
        for _ in range(2):
            workers.create_task(work(app))


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))  # as Ctrl-C
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
