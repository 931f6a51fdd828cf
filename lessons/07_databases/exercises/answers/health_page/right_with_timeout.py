# Tornado's own idiom: gen.with_timeout and gen.multi; the task is cancelled by hand.
"""Which of our stores is up? They are asked one after the other, and a dead one is a 500."""

import asyncio
import contextlib
import datetime
from typing import Any

import tornado.gen
import tornado.web
from tornado.options import define, options, parse_command_line


class HealthHandler(tornado.web.RequestHandler):
    async def is_up(self, check) -> bool:
        task = asyncio.create_task(check())
        deadline = datetime.timedelta(seconds=self.settings["patience"])
        try:
            await tornado.gen.with_timeout(deadline, task)
        except Exception:
            task.cancel()
            return False
        return True

    async def get(self) -> None:
        checks = self.settings["checks"]
        up = await tornado.gen.multi({name: self.is_up(check) for name, check in checks.items()})
        down = [name for name in up if not up[name]]
        if down:
            self.set_status(503)
        self.write({name: "down" if name in down else "up" for name in up})


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
