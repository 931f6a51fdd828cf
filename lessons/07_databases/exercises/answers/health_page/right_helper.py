# A helper for one store, and gather() over the helpers.
"""Which of our stores is up? They are asked one after the other, and a dead one is a 500."""

import asyncio
import contextlib
from typing import Any

import tornado.web
from tornado.options import define, options, parse_command_line


async def state(check, patience):
    try:
        async with asyncio.timeout(patience):
            await check()
    except Exception:
        return "down"
    return "up"


class HealthHandler(tornado.web.RequestHandler):
    async def get(self) -> None:
        checks, patience = self.settings["checks"], self.settings["patience"]
        states = await asyncio.gather(*[state(check, patience) for check in checks.values()])
        if "down" in states:
            self.set_status(503, "Service Unavailable")
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
