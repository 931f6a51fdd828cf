"""Which stores are up? They are asked one after the other, and one that is down is a 500."""

import asyncio
import contextlib
from typing import Any

import tornado.web
from tornado.options import define, options, parse_command_line


class HealthHandler(tornado.web.RequestHandler):
    async def get(self) -> None:
        checks, patience = self.settings["checks"], self.settings["patience"]
        # TODO 1: call all checks at the same time; one that raises or takes too long is down.
        # TODO 2: 200 if all are up, else 503; write "up" or "down" for each name.
        for check in checks.values():
            await asyncio.wait_for(check(), patience)
        self.write(dict.fromkeys(checks, "up"))


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
