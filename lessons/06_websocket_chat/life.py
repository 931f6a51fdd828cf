"""The life of one connection: which methods run, who may close it, what is over after the upgrade.

Run it:  python3 learn.py run 06/life
"""

import asyncio
import contextlib
import signal
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

    # A coroutine here holds the messages back until it has returned.
    async def open(self, name: str) -> None:
        self.record("open")
        self.name = name
        greeting = self.get_query_argument("greeting", "Hello")
        await self.write_message(f"{greeting}, {name}")

    def on_message(self, message: str | bytes) -> None:
        self.record(f"on_message {message!r}")
        match message:
            case "close":
                self.close(4000, f"Goodbye, {self.name}")  # 4000-4999 mean what you say they mean
            case "crash":
                raise RuntimeError("on_message() failed")
            case "header":
                try:
                    self.set_header("X-Late", "yes")
                except RuntimeError as error:  # the answer, status 101, left long ago
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
    """GET /steps tells what ran since you last asked."""
    return tornado.web.Application(
        [(r"/", PageHandler), (r"/life/(\w+)", LifeHandler), (r"/steps", StepsHandler)],
        template_path=HERE / "templates",
        static_path=HERE / "static",
        steps=[],
    )


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
