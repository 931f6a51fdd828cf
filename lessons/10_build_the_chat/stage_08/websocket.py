"""The socket of a page: it decodes frames and passes messages on."""

import contextlib
import json
import re
from typing import Any

import conversations
import messages
import tornado.web
import tornado.websocket
from auth import BaseHandler
from errors import ChatError
from hub import Hub

CID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")  # a UUID, made by the client
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
        self.user_id = self.current_user["id"]

    async def open(self) -> None:
        self.hub.connections.add(self)  # before the heads are read: nothing is missed in between
        await self.send_heads("hello", user=self.current_user)

    def on_close(self) -> None:
        self.hub.connections.discard(self)

    async def on_message(self, message: str | bytes) -> None:
        try:
            frame = json.loads(message)
        except (ValueError, RecursionError):
            frame = None
        try:
            await self.receive(frame)
        except ChatError as error:
            cid = frame.get("cid") if isinstance(frame, dict) else None
            self.fail(error.code, error.message, **({"cid": cid} if cid else {}))

    async def receive(self, frame: object) -> None:
        """Do what a frame asks for; raises ChatError if a rule does not allow it."""
        match frame:
            case {"type": "send", "cid": str(cid), "conv": int(conv), "text": str(text)} if (
                CID.fullmatch(cid)
            ):
                await self.receive_send(conv, cid, text)
            case {"type": "ping"}:
                await self.send_heads("pong")
            case _:
                raise ChatError(400, "bad_frame", "This is no frame of the protocol.")

    async def send_heads(self, type_: str, **more: Any) -> None:
        """Tell the client how far each conversation is; it loads what it has missed."""
        heads = await self.database.run(conversations.load_heads, self.user_id)
        self.deliver(json.dumps({"type": type_, "heads": heads} | more))

    async def receive_send(self, conv: int, cid: str, text: str) -> None:
        """Store a message, then acknowledge it, then publish it."""
        text = text.strip()
        if not 1 <= len(text) <= MAX_TEXT:
            code = "text_too_long" if text else "text_empty"
            raise ChatError(400, code, f"A message has 1 to {MAX_TEXT} characters.")
        event, members = await self.database.run(messages.post, self.user_id, conv, cid, text)
        ack = {"type": "ack", "cid": cid, "conv": conv, "seq": event["seq"], "at": event["at"]}
        self.deliver(json.dumps(ack))
        self.hub.publish(members, event)

    def deliver(self, frame: str) -> None:
        """Send a text frame, unless the connection is closed."""
        with contextlib.suppress(tornado.websocket.WebSocketClosedError):  # on_close() comes later
            self.write_message(frame)

    def fail(self, code: str, message: str, **more: Any) -> None:
        """Tell the client which rule its frame breaks; the connection stays open."""
        self.deliver(json.dumps({"type": "error", "code": code, "message": message} | more))
