"""Which stores are up? All are asked at the same time, each with a timeout."""

import asyncio
import contextlib
from typing import Any

import tornado.web
from tornado.options import define, options, parse_command_line


class HealthHandler(tornado.web.RequestHandler):
    async def get(self) -> None:
        checks, patience = self.settings["checks"], self.settings["patience"]
        asked = (asyncio.wait_for(check(), patience) for check in checks.values())
        answers = await asyncio.gather(*asked, return_exceptions=True)
        states = {
            name: "down" if isinstance(answer, Exception) else "up"
            for name, answer in zip(checks, answers, strict=True)
        }
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
