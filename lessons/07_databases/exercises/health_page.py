"""Which of our stores is up? They are asked one after the other, and a dead one is a 500."""

import asyncio
import contextlib
import signal
from typing import Any

import tornado.web
from tornado.options import define, options, parse_command_line


class HealthHandler(tornado.web.RequestHandler):
    async def get(self) -> None:
        checks, patience = self.settings["checks"], self.settings["patience"]
        # TODO 1: ask all at once; who raises, or says nothing for patience seconds, is down.
        # TODO 2: 200 when all are up, else 503; either way tell "up" or "down" for each.
        for check in checks.values():
            await asyncio.wait_for(check(), patience)
        self.write(dict.fromkeys(checks, "up"))


def make_app(checks: dict[str, Any] | None = None, patience: float = 2) -> tornado.web.Application:
    routes = [(r"/health", HealthHandler)]
    return tornado.web.Application(routes, checks=checks or {}, patience=patience)


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    make_app().listen(options.port)
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))  # as Ctrl-C
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
