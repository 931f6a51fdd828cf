"""The socket of a page: it decodes frames and passes messages on."""

import contextlib
import json
import time

import tornado.web
import tornado.websocket
from auth import BaseHandler
from hub import Hub

MAX_TEXT = 4000  # characters of a message


class SocketHandler(tornado.websocket.WebSocketHandler, BaseHandler):
    """One connection of a user who is logged in."""

    @property
    def hub(self) -> Hub:
        return self.settings["hub"]

    async def prepare(self) -> None:
        await super().prepare()
        if not self.current_user:
            raise tornado.web.HTTPError(401)  # before the upgrade: no connection is opened

    def open(self) -> None:
        self.hub.connections.add(self)

    def on_close(self) -> None:
        self.hub.connections.discard(self)

    def on_message(self, message: str | bytes) -> None:
        try:
            frame = json.loads(message)
        except (ValueError, RecursionError):
            frame = None
        match frame:
            case {"type": "send", "text": str(text)}:
                self.receive_send(text)
            case _:
                self.fail("bad_frame", "This is no frame of the protocol.")

    def receive_send(self, text: str) -> None:
        """Publish a message."""
        text = text.strip()
        if not 1 <= len(text) <= MAX_TEXT:
            code = "text_too_long" if text else "text_empty"
            self.fail(code, f"A message has 1 to {MAX_TEXT} characters.")
            return
        at = int(time.time() * 1000)  # milliseconds since 1970
        self.hub.publish({"type": "message", "from": self.current_user, "text": text, "at": at})

    def deliver(self, frame: str) -> None:
        """Send a text frame, unless the connection is closed."""
        with contextlib.suppress(tornado.websocket.WebSocketClosedError):  # on_close() comes later
            self.write_message(frame)

    def fail(self, code: str, message: str) -> None:
        """Tell the client which rule its frame breaks; the connection stays open."""
        self.deliver(json.dumps({"type": "error", "code": code, "message": message}))
