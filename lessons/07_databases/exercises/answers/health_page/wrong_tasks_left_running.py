# asyncio.wait() with a timeout: the silent tasks are never cancelled.
# Told: the right answer; but the check still runs after it
# Told: A check that you stop waiting for has to end. asyncio.wait_for() cancels it
"""Which of our stores is up? They are asked one after the other, and a dead one is a 500."""

import asyncio
import contextlib
from typing import Any

import tornado.web
from tornado.options import define, options, parse_command_line


class HealthHandler(tornado.web.RequestHandler):
    async def get(self) -> None:
        tasks = {n: asyncio.create_task(check()) for n, check in self.settings["checks"].items()}
        await asyncio.wait(tasks.values(), timeout=self.settings["patience"])
        states = {}
        for name, task in tasks.items():
            up = task.done() and task.exception() is None
            states[name] = "up" if up else "down"
        if "down" in states.values():
            self.set_status(503)
        self.write(states)


def make_app(checks: dict[str, Any] | None = None, patience: float = 2) -> tornado.web.Application:
    routes = [(r"/health", HealthHandler)]
    return tornado.web.Application(routes, checks=checks or {}, patience=patience)


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    make_app().listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
