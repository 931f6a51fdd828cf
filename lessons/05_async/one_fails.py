"""Two requests at the same time, and one fails: what happens to the other, in three ways.

Run it:  python3 learn.py run 05/one_fails
"""

import asyncio
import contextlib
from collections.abc import Coroutine

import tornado.gen
import tornado.web
from tornado.options import define, options, parse_command_line


class ShopHandler(tornado.web.RequestHandler):
    async def ask(self, what: str, seconds: float) -> None:
        try:
            await asyncio.sleep(seconds)
        except asyncio.CancelledError:
            self.events.append(f"{what} cancelled")
            raise
        if what == "stock":
            self.events.append("stock failed")
            raise OSError("the service for the stock has closed the connection")
        self.events.append(f"{what} answered")

    async def get(self) -> None:
        self.events: list[str] = []
        try:
            await self.both(self.ask("price", 0.4), self.ask("stock", 0.1))
        except (OSError, ExceptionGroup) as error:
            self.events.append(f"{type(error).__name__} raised")
        await asyncio.sleep(0.6)  # does the other request go on?
        self.write({"events": self.events})

    async def both(self, price: Coroutine, stock: Coroutine) -> None:
        raise NotImplementedError  # each subclass has its own


class GatherHandler(ShopHandler):
    async def both(self, price: Coroutine, stock: Coroutine) -> None:
        await asyncio.gather(price, stock)


class MultiHandler(ShopHandler):
    async def both(self, price: Coroutine, stock: Coroutine) -> None:
        await tornado.gen.multi([price, stock])


class TaskGroupHandler(ShopHandler):
    async def both(self, price: Coroutine, stock: Coroutine) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(price)
            group.create_task(stock)


def make_app() -> tornado.web.Application:
    """The same two requests three times; each page shows what has happened."""
    return tornado.web.Application(
        [
            (r"/", GatherHandler),
            (r"/gather", GatherHandler),
            (r"/multi", MultiHandler),
            (r"/task_group", TaskGroupHandler),
        ]
    )


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    make_app().listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
