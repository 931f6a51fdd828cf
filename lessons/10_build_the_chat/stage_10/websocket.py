"""The socket of a page: it decodes frames and passes messages on."""

import asyncio
import json
import re
from typing import Any

import conversations
import messages
import tornado.web
import tornado.websocket
from auth import BaseHandler
from errors import ChatError, not_found
from hub import Hub
from tornado.iostream import StreamBufferFullError

CID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")  # a UUID, made by the client
MAX_TEXT = 4000  # characters of a message
MAX_NUMBER = 2**31  # of an id or a seq
MAX_BAD_FRAMES = 5  # in a row
MAX_CONNECTIONS = 20  # of a user
MAX_UNSENT = 256 * 1024  # bytes that may wait for one connection


class SocketHandler(tornado.websocket.WebSocketHandler, BaseHandler):
    """One connection of a user who is logged in."""

    bad_frames = 0

    @property
    def hub(self) -> Hub:
        return self.settings["hub"]

    async def prepare(self) -> None:
        await super().prepare()
        if not self.current_user:
            raise tornado.web.HTTPError(401)  # before the upgrade: no connection is opened
        self.user_id = self.current_user["id"]

    async def open(self) -> None:
        self.set_nodelay(True)
        self.ws_connection.stream.max_write_buffer_size = MAX_UNSENT
        if self.hub.count(self.user_id) >= MAX_CONNECTIONS:
            self.close(3502, "too many connections")
            return
        self.hub.add(self)  # before the heads are read: nothing is missed in between
        online = sorted(self.hub.online_users())
        await self.send_heads("hello", user=self.current_user, online=online)

    def on_close(self) -> None:
        self.hub.remove(self)

    async def on_message(self, message: str | bytes) -> None:
        if not self.settings["limits"]["frame"].allow(self.user_id):
            return self.close(3009, "too many frames")
        try:
            frame = json.loads(message)
        except (ValueError, RecursionError):
            frame = None
        try:
            await self.receive(frame)
            self.bad_frames = 0
        except ChatError as error:
            self.bad_frames = self.bad_frames + 1 if error.code == "bad_frame" else 0
            if self.bad_frames == MAX_BAD_FRAMES:
                return self.close(3501, "too many bad frames")
            cid = frame.get("cid") if isinstance(frame, dict) else None
            self.fail(error.code, error.message, **({"cid": cid} if isinstance(cid, str) else {}))

    async def receive(self, frame: object) -> None:
        """Do what a frame asks for; raises ChatError if a rule does not allow it."""
        match frame:
            case {"conv": int(conv)} if not 0 < conv < MAX_NUMBER:
                raise not_found()
            case {"type": "send", "cid": str(cid), "conv": int(conv), "text": str(text)} if (
                CID.fullmatch(cid)
            ):
                await self.receive_send(conv, cid, text)
            case {"type": "read", "conv": int(conv), "seq": int(seq)}:
                await self.receive_read(conv, seq)
            case {"type": "typing", "conv": int(conv)}:
                await self.receive_typing(conv)
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
        if not self.settings["limits"]["send"].allow(self.user_id):
            raise ChatError(429, "rate_limited", "You write too fast. Please wait a moment.")
        text = text.strip()
        if any("\ud800" <= letter <= "\udfff" for letter in text):
            raise ChatError(400, "text_invalid", "The text has half of a surrogate pair.")
        if not any(letter.isprintable() and not letter.isspace() for letter in text):
            text = ""  # invisible characters alone are no message
        if not 1 <= len(text) <= MAX_TEXT:
            code = "text_too_long" if text else "text_empty"
            raise ChatError(400, code, f"A message has 1 to {MAX_TEXT} characters.")
        event, members = await self.database.run(messages.post, self.user_id, conv, cid, text)
        ack = {"type": "ack", "cid": cid, "conv": conv, "seq": event["seq"], "at": event["at"]}
        self.deliver(json.dumps(ack))
        self.hub.publish(members, event)

    async def receive_read(self, conv: int, seq: int) -> None:
        """Move the read mark of the user; the other windows of the user learn of it."""
        mark = await self.database.run(
            conversations.mark_read, self.user_id, conv, min(seq, MAX_NUMBER)
        )
        event = {"type": "read", "conv": conv, "seq": mark, "user": self.user_id}
        self.hub.publish([self.user_id], event)

    async def receive_typing(self, conv: int) -> None:
        """Tell the other members that the user is typing. It is not stored."""
        others = await self.database.run(conversations.other_members, self.user_id, conv)
        user = {"id": self.user_id, "nickname": self.current_user["nickname"]}
        self.hub.publish(others, {"type": "typing", "conv": conv, "from": user})

    def deliver(self, frame: str) -> None:
        """Send a text frame, unless the connection is closed or its client reads too slowly."""
        try:
            self.write_message(frame).add_done_callback(look_at)
        except tornado.websocket.WebSocketClosedError:
            pass  # on_close() comes later
        except StreamBufferFullError:
            self.ws_connection.stream.close()  # a close frame would wait behind all the others

    def fail(self, code: str, message: str, **more: Any) -> None:
        """Tell the client which rule its frame breaks; the connection stays open."""
        self.deliver(json.dumps({"type": "error", "code": code, "message": message} | more))


def look_at(sent: asyncio.Future[None]) -> None:
    """Retrieve the result, or asyncio reports an error for each unsent frame."""
    if not sent.cancelled():
        sent.exception()
