# A TaskGroup whose tasks write into a dict; JSON without a charset.
"""Which of our stores is up? They are asked one after the other, and a dead one is a 500."""

import asyncio
import contextlib
import json
import logging
from typing import Any

import tornado.web
from tornado.options import define, options, parse_command_line


class HealthHandler(tornado.web.RequestHandler):
    async def ask(self, name, check):
        try:
            await asyncio.wait_for(check(), timeout=self.settings["patience"])
            self.found[name] = "up"
        except (Exception, asyncio.TimeoutError) as error:
            logging.getLogger("health").warning("%s: %r", name, error)
            self.found[name] = "down"

    async def get(self) -> None:
        self.found = {}
        async with asyncio.TaskGroup() as group:
            for name, check in self.settings["checks"].items():
                group.create_task(self.ask(name, check))
        self.set_header("Content-Type", "application/json")
        self.set_status(200 if set(self.found.values()) <= {"up"} else 503)
        self.finish(json.dumps(self.found))


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
