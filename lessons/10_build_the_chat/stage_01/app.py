"""Stage 1: one room with a page. All who are connected read what one person writes.

Run it:  python3 learn.py run 10/1
"""

import asyncio
import contextlib
from pathlib import Path

import tornado.web
from hub import Hub
from tornado.options import define, options, parse_command_line
from websocket import MAX_NAME, MAX_TEXT, SocketHandler

HERE = Path(__file__).parent


class PageHandler(tornado.web.RequestHandler):
    """The page: a form that asks for a name, or the room."""

    def get(self) -> None:
        name = self.get_query_argument("name", "")
        if 1 <= len(name) <= MAX_NAME:
            self.render("chat.html", user={"nickname": name}, max_text=MAX_TEXT)
        else:
            self.render("name.html", max_name=MAX_NAME)


def make_app() -> tornado.web.Application:
    """Return the chat: / is the page, /ws its socket."""
    return tornado.web.Application(
        [(r"/", PageHandler), (r"/ws", SocketHandler)],
        template_path=HERE / "templates",
        static_path=HERE / "static",
        websocket_ping_interval=20,
        hub=Hub(),
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
