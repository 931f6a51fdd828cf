"""Stages of lesson 10 for its notebook: killed while they store a message, and started again."""

import functools
import html
import json
import re
import uuid
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any

from tornado.web import Application
from tornado.websocket import WebSocketClientConnection

from course.testing.chat_stage import LOBBY, PASSWORD, load_stage
from notebooks import kit

__all__ = ["AFTER", "BEFORE", "Chat", "new_cid", "read_frames", "send", "stage"]

BEFORE, AFTER = "before the commit", "after the commit"
"""Moments of a kill: the chat has received the message, or has also stored it."""


class Killed(Exception):
    """The process has ended: nothing that comes later in it is done."""


@functools.cache
def stage(number: int) -> SimpleNamespace:
    """Return the modules of a stage, such as `stage(7).messages`."""
    folder = kit.ROOT / "lessons" / "10_build_the_chat" / f"stage_{number:02}"
    return SimpleNamespace(**load_stage(folder))


class Chat:
    """A stage that is served with a database of its own.

    Args:
        number: the stage.
        handler: the handler of the socket, if it is not that of the stage.
    """

    def __init__(self, number: int, handler: Any = None) -> None:
        self.number, self.handler = number, handler
        self.file = kit.temporary_folder() / "chat.db"
        self.app = self._load()
        self.address = kit.serve(self.app)

    def _load(self) -> Application:
        """Return the application, with nothing in memory and the database as it is stored."""
        # Stage 1 has no database.
        app = stage(self.number).app.make_app(*([self.file] if self.number > 1 else []))
        if self.handler:
            app.add_handlers(".*", [("/ws", self.handler)])
        if self.number > 1:
            kit.stack.callback(app.settings["database"].close)
        return app  # type: ignore[no-any-return]

    def kill(self) -> None:
        """End all connections at once, without a close frame, as a process that is killed."""
        for connection in self.app.settings["hub"].connections.copy():
            connection.ws_connection.stream.close()

    async def restart(self) -> None:
        """Kill the chat, and start it again on the same database."""
        self.kill()
        server = kit.servers[self.address]
        await server.close_all_connections()
        if self.number > 1:
            self.app.settings["database"].close()
        self.app = self._load()
        server.request_callback = self.app

    def kill_at(self, moment: str) -> None:
        """Kill the chat `BEFORE` or `AFTER` the commit of the next message."""

        async def die() -> None:
            self.kill()
            raise Killed

        self.on_next(stage(self.number).messages.post, moment, die)

    def on_next(self, work: Any, moment: str, then: Callable[[], Awaitable[None]]) -> None:
        """Await `then` `BEFORE` or `AFTER` the next transaction that runs a function.

        Args:
            work: the function, such as `stage(8).messages.post`.
            moment: BEFORE or AFTER.
            then: called once. The caller of the transaction waits for it.
        """
        database = self.app.settings["database"]
        run = database.run

        async def watched(called: Any, *values: Any) -> Any:
            if called is not work:
                return await run(called, *values)
            database.run = run
            if moment == BEFORE:
                await then()
            result = await run(called, *values)
            if moment == AFTER:
                await then()
            return result

        database.run = watched

    async def join(self, nickname: str) -> "Member":
        """Register a member, as the form does."""
        member = Member(self, nickname)
        if self.number > 1:
            page = (await member.ask("/register")).body.decode()
            hidden = re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page)
            form = {key: html.unescape(value) for key, value in hidden}
            query = "SELECT answer FROM captchas WHERE id = ?"
            connection = self.app.settings["database"].connection
            form["captcha"] = connection.execute(query, (form["captcha_id"],)).fetchone()[0]
            form |= {"name": nickname.lower(), "nickname": nickname}
            form |= {"password": PASSWORD, "confirmation": PASSWORD}
            await member.ask("/register", form=form)
        return member


class Member(kit.Browser):
    """The browser of a member."""

    def __init__(self, chat: Chat, nickname: str) -> None:
        super().__init__(chat.address)
        # At stage 1 the name in the address is all that a visitor needs.
        self.socket_path = "/ws" if chat.number > 1 else f"/ws?name={nickname}"

    async def connect(self) -> WebSocketClientConnection:
        """Open a socket."""
        cookies = "; ".join("=".join(pair) for pair in self.cookies.items())
        return await kit.connect(self.address, self.socket_path, Cookie=cookies)

    async def load_texts(self, query: str = "") -> list[str]:
        """Return the texts of the events that the page loads, such as with `?after=3`."""
        answer = await self.ask(f"/api/conversations/{LOBBY}/events{query}")
        events = json.loads(answer.body)["events"] if answer.code == 200 else []
        return [event["text"] for event in events if event["type"] == "message"]


def new_cid() -> str:
    """Return an id for a message, as a page makes it."""
    return str(uuid.uuid4())


async def send(socket: WebSocketClientConnection, text: str, cid: str = "") -> None:
    """Send a message. Stages before 7 ignore its cid."""
    frame = {"type": "send", "conv": LOBBY, "cid": cid or new_cid(), "text": text}
    await socket.write_message(json.dumps(frame))


async def read_frames(socket: WebSocketClientConnection, *last: str) -> list[dict[str, Any]]:
    """Read frames up to one of these types, or up to the end of the connection."""
    frames: list[dict[str, Any]] = []
    while (message := await socket.read_message()) is not None:
        frames.append(json.loads(message))
        if frames[-1]["type"] in last:
            break
    return frames
