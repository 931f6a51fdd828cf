"""Frames in JSON, checked before they are used; and a limit for their size.

Run it:  python3 learn.py run 06/messages
"""

import asyncio
import contextlib
import json
from pathlib import Path

import tornado.web
import tornado.websocket
from tornado.options import define, options, parse_command_line

HERE = Path(__file__).parent
EXAMPLES = [
    '{"type": "upper", "text": "hello"}',
    '{"type": "words", "text": "one two"}',
    '{"type": "upper", "text": 7}',
    "{",
]
MAX_BYTES = 64 * 1024  # of one message; without this setting the limit is 10 MiB


class MessagesHandler(tornado.websocket.WebSocketHandler):
    def on_message(self, message: str | bytes) -> None:
        if isinstance(message, bytes):  # a binary frame
            self.write_message(message[::-1], binary=True)
            return
        try:
            frame = json.loads(message)
        except (ValueError, RecursionError):  # RecursionError: very many opening brackets
            self.refuse("not JSON")
            return
        # region frame
        match frame:
            case {"type": "upper", "text": str(text)}:
                self.write_message({"type": "upper", "text": text.upper()})  # a dict becomes JSON
            case {"type": "words", "text": str(text)}:
                self.write_message(json.dumps(text.split()))  # a list does not: TypeError
            case _:
                self.refuse("no such type, or fields that do not belong to it")
        # endregion

    def refuse(self, reason: str) -> None:
        """Answer a wrong frame; an exception would close the connection."""
        self.write_message({"type": "error", "reason": reason})


class PageHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.render("console.html", path="/messages", examples=EXAMPLES)


def make_app() -> tornado.web.Application:
    """The socket is at /messages. A message above MAX_BYTES closes the connection with 1009."""
    return tornado.web.Application(
        [(r"/", PageHandler), (r"/messages", MessagesHandler)],
        template_path=HERE / "templates",
        static_path=HERE / "static",
        websocket_max_message_size=MAX_BYTES,
    )


async def show_examples(url: str) -> None:
    """Send each example, and then a message that is too big."""
    client = await tornado.websocket.websocket_connect(url)
    for example in EXAMPLES:
        await client.write_message(example)
        print(example, "->", await client.read_message())
    await client.write_message("x" * (MAX_BYTES + 1))
    await client.read_message()
    print("too big -> closed:", client.close_code, client.close_reason)
    client.close()


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    make_app().listen(options.port, "localhost")
    await show_examples(f"ws://localhost:{options.port}/messages")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
