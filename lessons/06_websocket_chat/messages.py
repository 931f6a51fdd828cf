"""Text, bytes and JSON; what is too big, and what cannot be understood.

Run it:  python3 learn.py run 06/messages
"""

import asyncio
import contextlib
import json
import signal
from pathlib import Path

import tornado.web
import tornado.websocket
from tornado.options import define, options, parse_command_line

HERE = Path(__file__).parent
MAX_BYTES = 64 * 1024  # of one message; Tornado's own limit is 10 MiB


class MessagesHandler(tornado.websocket.WebSocketHandler):
    def on_message(self, message: str | bytes) -> None:
        if isinstance(message, bytes):  # a binary frame
            self.write_message(message[::-1], binary=True)
            return
        try:
            frame = json.loads(message)
        except (ValueError, RecursionError):  # the second for a hundred thousand opening brackets
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
        """Answer what cannot be obeyed; an exception would close the connection."""
        self.write_message({"type": "error", "reason": reason})


class PageHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        examples = [
            '{"type": "upper", "text": "hello"}',
            '{"type": "words", "text": "one two"}',
            '{"type": "upper", "text": 7}',
            "{",
        ]
        self.render("console.html", path="/messages", examples=examples)


def make_app() -> tornado.web.Application:
    """The socket is at /messages. Whoever sends more than MAX_BYTES is closed with 1009."""
    return tornado.web.Application(
        [(r"/", PageHandler), (r"/messages", MessagesHandler)],
        template_path=HERE / "templates",
        static_path=HERE / "static",
        websocket_max_message_size=MAX_BYTES,
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
