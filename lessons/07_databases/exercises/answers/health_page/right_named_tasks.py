# create_task first, then each is awaited with what is left of the patience.
"""Which of our stores is up? They are asked one after the other, and a dead one is a 500."""

import asyncio
import contextlib
from typing import Any

import tornado.web
from tornado.options import define, options, parse_command_line


class HealthHandler(tornado.web.RequestHandler):
    async def get(self):
        loop = asyncio.get_running_loop()
        end = loop.time() + self.settings["patience"]
        started = [(n, asyncio.create_task(c(), name=n)) for n, c in self.settings["checks"].items()]
        answer = {}
        for name, task in started:
            try:
                await asyncio.wait_for(task, max(0, end - loop.time()))
            except Exception as e:
                print(name, "is down", e)
                answer[name] = "down"
            else:
                answer[name] = "up"
        if "down" in answer.values():
            self.set_status(503)
        return self.write(answer)


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
