"""A page needs two slow answers: one after the other, or at the same time, in three ways.

Run it:  python3 learn.py run 05/parallel
"""

import asyncio
import contextlib

import tornado.gen
import tornado.web
from tornado.options import define, options, parse_command_line


class ShopHandler(tornado.web.RequestHandler):
    """Asks two services for the parts of a page; each subclass has its own get()."""

    def initialize(self) -> None:
        self.events: list[str] = []

    async def ask(self, what: str, answer: int) -> int:
        self.events.append(f"{what} asked")
        await asyncio.sleep(0.5)
        self.events.append(f"{what} answered")
        return answer

    def show(self, price: int, stock: int) -> None:
        self.write({"price": price, "stock": stock, "events": self.events})


class OneByOneHandler(ShopHandler):
    async def get(self) -> None:
        price = await self.ask("price", 12)
        stock = await self.ask("stock", 3)  # is asked only when the price has come
        self.show(price, stock)


class GatherHandler(ShopHandler):
    async def get(self) -> None:
        self.show(*await asyncio.gather(self.ask("price", 12), self.ask("stock", 3)))


class MultiHandler(ShopHandler):
    async def get(self) -> None:
        answers = {"price": self.ask("price", 12), "stock": self.ask("stock", 3)}
        self.show(**await tornado.gen.multi(answers))  # takes a list too


class TaskGroupHandler(ShopHandler):
    async def get(self) -> None:
        async with asyncio.TaskGroup() as group:  # if one fails, the others are cancelled
            price = group.create_task(self.ask("price", 12))
            stock = group.create_task(self.ask("stock", 3))
        self.show(price.result(), stock.result())


def make_app() -> tornado.web.Application:
    """The same page four times; each shows the order of questions and answers."""
    return tornado.web.Application(
        [
            (r"/", OneByOneHandler),
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
