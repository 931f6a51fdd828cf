"""The life of one connection: which methods run, and what is no longer possible after the upgrade.

Run it:  python3 learn.py run 06/life
"""

import asyncio
import contextlib
from pathlib import Path

import tornado.web
import tornado.websocket
from tornado.options import define, options, parse_command_line

HERE = Path(__file__).parent


class LifeHandler(tornado.websocket.WebSocketHandler):
    def record(self, step: str) -> None:
        self.settings["steps"].append(step)

    def prepare(self) -> None:
        self.record("prepare")

    def on_finish(self) -> None:
        self.record("on_finish")

    # on_message() is not called before this coroutine has returned.
    async def open(self, name: str) -> None:
        self.record("open")
        self.name = name
        greeting = self.get_query_argument("greeting", "Hello")
        await self.write_message(f"{greeting}, {name}")

    def on_message(self, message: str | bytes) -> None:
        self.record(f"on_message {message!r}")
        match message:
            case "close":
                self.close(4000, f"Goodbye, {self.name}")  # the codes 4000 to 4999 are yours
            case "crash":
                raise RuntimeError("on_message() failed")
            case "header":
                try:
                    self.set_header("X-Late", "yes")
                except RuntimeError as error:  # the response, status 101, was sent before
                    self.write_message(f"RuntimeError: {error}")
            case _:
                self.write_message(f"{self.name} said {message!r}")

    def on_close(self) -> None:
        self.record(f"on_close {self.close_code} {self.close_reason}")


class StepsHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.write({"steps": self.settings["steps"]})
        self.settings["steps"].clear()


class PageHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        examples = ["Hello", "header", "close", "crash"]
        self.render("console.html", path="/life/Ada?greeting=Welcome", examples=examples)


def make_app() -> tornado.web.Application:
    """GET /steps returns what has run since the last GET /steps."""
    return tornado.web.Application(
        [(r"/", PageHandler), (r"/life/(\w+)", LifeHandler), (r"/steps", StepsHandler)],
        template_path=HERE / "templates",
        static_path=HERE / "static",
        steps=[],
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
