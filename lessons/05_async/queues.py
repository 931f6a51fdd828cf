"""Accept work now and do it later: a bounded queue, two workers, and a 503 when it is full.

Run it:  python3 learn.py run 05/queues
"""

import asyncio
import contextlib
import logging
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
        except tornado.queues.QueueFull:  # without a bound the queue could fill the memory
            self.set_status(503)
            self.set_header("Retry-After", "1")  # seconds; HTTPError would drop this header
            self.write("full, come back later\n")
        else:
            self.set_status(202)  # accepted, but not done yet
            self.write("accepted\n")


async def do(name: str) -> None:
    """Stand for a job, such as a mail to send."""
    await asyncio.sleep(2)


async def work(app: tornado.web.Application, do: Callable[[str], Awaitable[None]] = do) -> None:
    """Do the jobs of app, one after the other, without end."""
    jobs = app.settings["jobs"]
    async for name in jobs:
        try:
            await do(name)
            app.settings["done"].append(name)
        except Exception:  # one bad job must not end the worker
            logging.exception("job %r failed", name)
        finally:
            jobs.task_done()  # await jobs.join() waits until every job has this


def make_app(room: int = 3) -> tornado.web.Application:
    """POST / puts a job into a queue with `room` places; GET / shows what is done."""
    jobs: tornado.queues.Queue[str] = tornado.queues.Queue(maxsize=room)
    return tornado.web.Application([(r"/", JobsHandler)], jobs=jobs, done=[])


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    app = make_app()
    app.listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    async with asyncio.TaskGroup() as workers:  # ends if one of the workers fails
        for _ in range(2):
            workers.create_task(work(app))


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
