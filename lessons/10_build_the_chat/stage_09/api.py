"""The API: JSON for the scripts of the page."""

import asyncio
import json
from sqlite3 import Connection
from typing import Any

import contacts
import conversations
import messages
from auth import BaseHandler
from errors import ChatError


class ApiHandler(BaseHandler):
    """A handler for users who are logged in; others get the status 401, not the login page."""

    async def prepare(self) -> None:
        await super().prepare()
        if not self.current_user:
            raise ChatError(401, "unauthorized", "Log in first.")
        self.set_header("Cache-Control", "no-store")

    async def run(self, work: Any, *args: Any) -> Any:
        """Return work(connection, user id, *args), run in the database."""
        return await self.database.run(work, self.current_user["id"], *args)

    def read_text(self, key: str) -> str:
        """Return a text of the JSON body; raises ChatError if there is none."""
        try:
            value = json.loads(self.request.body)[key]
        except (ValueError, TypeError, KeyError, RecursionError):
            value = None
        if not isinstance(value, str):
            raise ChatError(400, "bad_field", f"The body is no JSON object with a text {key}.")
        return value

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Send an error as JSON."""
        error = kwargs["exc_info"][1]
        if not isinstance(error, ChatError):
            error = ChatError(status_code, "error", self._reason)
        self.finish({"error": {"code": error.code, "message": error.message}})


class StateHandler(ApiHandler):
    """The state that the page needs when it starts."""

    async def get(self) -> None:
        found = await self.run(conversations.list_conversations)
        self.write({"user": self.current_user, "conversations": found})


class EventsHandler(ApiHandler):
    """Events of a conversation: the newest, the newest before a seq, or those after a seq."""

    async def get(self, conv: str) -> None:
        before = int(self.get_query_argument("before", "999999999"))
        if after := self.get_query_argument("after", ""):
            events = await self.run(messages.load_missed, int(conv), int(after))
        else:
            events = await self.run(messages.load_history, int(conv), before)
        self.write({"events": events})


class GroupsHandler(ApiHandler):
    async def get(self) -> None:
        self.write({"groups": await self.run(conversations.list_groups)})

    async def post(self) -> None:
        group = await self.run(conversations.create_group, self.read_text("title"))
        self.set_status(201)
        self.write({"conversation": group})


class JoinHandler(ApiHandler):
    async def post(self, conv: str) -> None:
        event, members = await self.run(join, int(conv))
        if event:
            self.settings["hub"].publish(members, event)
        self.write({"conversation": await self.run(conversations.find_conversation, int(conv))})


def join(connection: Connection, user: int, conv: int) -> tuple[dict[str, Any] | None, list[int]]:
    """Join a group and store the event of it, in one transaction."""
    event = None
    if conversations.join_group(connection, user, conv):
        event = messages.append(connection, conv, user, "member", "joined", None)
    return event, conversations.member_ids(connection, conv)


class ContactsHandler(ApiHandler):
    async def post(self) -> None:
        self.write({"conversation": await self.run(contacts.add_contact, self.read_text("name"))})


class PrivateHandler(ApiHandler):
    async def post(self, user: str) -> None:
        self.write({"conversation": await self.run(contacts.open_private_chat, int(user))})


class MyPictureHandler(ApiHandler):
    """The body of the request is the file."""

    async def put(self) -> None:
        if len(self.request.body) > contacts.MAX_PICTURE:
            raise ChatError(413, "too_large", "A picture has at most 1 MB.")
        data = await asyncio.to_thread(contacts.draw_picture, self.request.body)
        self.write({"picture": await self.run(contacts.store_picture, data)})


class PictureHandler(ApiHandler):
    async def get(self, name: str) -> None:
        data = await self.database.run(contacts.load_picture, name)
        self.set_header("Content-Type", "image/webp")
        self.set_header("Cache-Control", "private, max-age=31536000, immutable")
        self.write(data)
