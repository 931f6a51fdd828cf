"""Two people: each hears what the other one says.

Run it:  python3 learn.py run 06/pair
"""

import asyncio
import contextlib
from pathlib import Path

import tornado.web
import tornado.websocket
from tornado.options import define, options, parse_command_line

HERE = Path(__file__).parent


class PersonHandler(tornado.websocket.WebSocketHandler):
    def initialize(self, people: set["PersonHandler"]) -> None:
        self.people = people

    def open(self) -> None:
        self.people.add(self)

    def on_message(self, message: str | bytes) -> None:
        for person in self.people - {self}:
            person.write_message(message, binary=isinstance(message, bytes))

    def on_close(self) -> None:
        self.people.discard(self)


class PageHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.render("console.html", path="/pair", examples=["Hello", "How are you?"])


def make_app() -> tornado.web.Application:
    """Make an application; it owns the set of the people who are connected."""
    people: set[PersonHandler] = set()
    return tornado.web.Application(
        [(r"/", PageHandler), (r"/pair", PersonHandler, {"people": people})],
        template_path=HERE / "templates",
        static_path=HERE / "static",
    )


async def talk(url: str) -> None:
    """Connect two people; Ada says something to Bob."""
    ada = await tornado.websocket.websocket_connect(url)
    bob = await tornado.websocket.websocket_connect(url)
    await ada.write_message("Hello, Bob")
    print("Bob hears", await bob.read_message())
    ada.close()
    bob.close()


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    make_app().listen(options.port, "localhost")
    await talk(f"ws://localhost:{options.port}/pair")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
