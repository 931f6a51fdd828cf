"""Check all stores at the same time, and report within one timeout which of them are down.

Run it:  python3 learn.py run 07/health
         --database, --postgresql, --redis and --mongodb name servers; none has to run
"""

import asyncio
import contextlib
import logging
import os
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path

import psycopg
import redis.asyncio
import tornado.web
from pymongo import AsyncMongoClient
from store.torndb3 import Pool
from tornado.options import define, options, parse_command_line

HERE = Path(__file__).parent
PATIENCE = 2.0  # seconds for all of them together

Check = Callable[[], Awaitable[object]]


async def is_up(name: str, check: Check, patience: float) -> bool:
    try:
        await asyncio.wait_for(check(), patience)
    except Exception as error:  # of any kind: the store cannot be used
        logging.warning("%s is down: %s %s", name, type(error).__name__, error)
        return False
    return True


async def states(checks: dict[str, Check], patience: float = PATIENCE) -> dict[str, bool]:
    up = await asyncio.gather(*(is_up(name, check, patience) for name, check in checks.items()))
    return dict(zip(checks, up, strict=True))


class HealthHandler(tornado.web.RequestHandler):
    async def get(self) -> None:
        found = await states(self.settings["checks"])
        if not all(found.values()):
            self.set_status(503)  # a load balancer sends no requests here until this is 200 again
        self.write({name: "up" if up else "down" for name, up in found.items()})


class PageHandler(tornado.web.RequestHandler):
    async def get(self) -> None:
        self.render("health.html", states=await states(self.settings["checks"]))


def make_app(checks: dict[str, Check]) -> tornado.web.Application:
    """/health is for programs: 200, or 503 if a store is down; / shows the same as a page."""
    return tornado.web.Application(
        [(r"/", PageHandler), (r"/health", HealthHandler)],
        template_path=HERE / "templates",
        static_path=HERE / "static",
        checks=checks,
    )


async def ask_postgresql(url: str) -> None:
    async with await psycopg.AsyncConnection.connect(url) as db:
        await db.execute("SELECT 1")


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    define("database", default="", help="mysql+pymysql://..., or a SQLite file of its own")
    define("postgresql", default=os.environ.get("DATABASE_URL", ""), help="postgresql://...")
    define("redis", default=os.environ.get("REDIS_URL", "redis://localhost:6379/0"), help="where")
    define("mongodb", default=os.environ.get("MONGODB_URI", ""), help="mongodb://...")
    parse_command_line()
    checks: dict[str, Check] = {}
    async with contextlib.AsyncExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        pool = stack.enter_context(
            contextlib.closing(Pool(options.database or f"sqlite:///{folder}/health.db"))
        )
        checks["database"] = lambda: pool.get("SELECT 1 AS one")
        if options.postgresql:
            checks["postgresql"] = lambda: ask_postgresql(options.postgresql)
        if options.redis:
            store = await stack.enter_async_context(redis.asyncio.from_url(options.redis))
            checks["redis"] = store.ping
        if options.mongodb:
            client = await stack.enter_async_context(AsyncMongoClient(options.mongodb))
            checks["mongodb"] = lambda: client.admin.command("ping")
        make_app(checks).listen(options.port, "localhost")
        print(f"Open http://localhost:{options.port}")
        await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
