"""Handlers of the API for conversations: state, lists, history, deletion of messages, search.

Messages are sent over the WebSocket, see `websocket`.
"""

import re

from capstone_chat.conversations.conversations import Cursor
from capstone_chat.conversations.event_log import MAX_PAGE_SIZE
from capstone_chat.handlers.base import ApiHandler
from capstone_chat.handlers.errors import ApiError
from capstone_chat.realtime.protocol import MAX_TEXT_LENGTH
from capstone_chat.text import names

SUGGEST_UP_TO = 3
"""Number of conversations up to which the state suggests public groups."""

MAX_RESULTS = 30
"""Maximum number of messages in a page of search results."""


class StateHandler(ApiHandler):
    """State that the page loads when it starts."""

    async def get(self) -> None:
        """GET /api/state: respond with the data of the page's first view.

        The data are the user, the heads, the invitations, the limits of texts, and the first page
        of contacts and of conversations; for a user with few conversations also of public groups.
        """
        # The heads are read before the list. If they were read after it, an event stored in between
        # would be in the heads and not in the list, and the client would not load it.
        heads = await self.chat.conversations.heads(self.user)
        contacts, more_contacts = await self.contacts_with_presence()
        conversations, cursor = await self.chat.conversations.list_for(self.user)
        groups, more_groups = (
            await self.chat.groups.search(self.user, "")
            if len(conversations) <= SUGGEST_UP_TO
            else (None, None)
        )
        self.finish(
            {
                "user": self.user.to_private_dict(),
                "contacts": contacts,
                "contacts_next": more_contacts,
                "conversations": conversations,
                "invitations": await self.chat.groups.list_invitations(self.user),
                "next": format_cursor(cursor),
                "groups": groups,
                "groups_next": more_groups,
                "heads": heads,
                "limits": {
                    "text": MAX_TEXT_LENGTH,
                    "title": names.MAX_TITLE_LENGTH,
                    "description": names.MAX_DESCRIPTION_LENGTH,
                    "nickname": names.MAX_NICKNAME_LENGTH,
                },
            }
        )


class ConversationsHandler(ApiHandler):
    """List of the user's conversations."""

    async def get(self) -> None:
        """GET /api/conversations: respond with a page of the list and the cursor of the next page.

        Conversations with newer events come first. With `query` only those whose title, or whose
        other user's name, contains it are listed.
        """
        query = self.get_query_argument("query", "")[: names.MAX_TITLE_LENGTH]
        found, cursor = await self.chat.conversations.list_for(
            self.user, before=self.cursor_query(), query=query
        )
        self.finish({"conversations": found, "next": format_cursor(cursor)})

    def cursor_query(self) -> Cursor | None:
        """Return the cursor in the argument `before`; None for the first page.

        Raises:
            ApiError: 400 if it does not have the form of a cursor.
        """
        value = self.get_query_argument("before", None)
        if value is None:
            return None
        match = re.fullmatch(r"([0-9]{1,15})-([0-9]{1,15})", value)
        if match is None:
            raise ApiError(400, "bad_field", "This cursor is not known here.", "before")
        return int(match[1]), int(match[2])


def format_cursor(cursor: Cursor | None) -> str | None:
    """Return a cursor as a text, which clients send back unchanged; None after the last page."""
    return "{}-{}".format(*cursor) if cursor else None


class PrivateHandler(ApiHandler):
    """Private chat of the user with another user."""

    async def post(self, other: str) -> None:
        """POST /api/private/USER: respond with the private chat, which is created if necessary.

        The status is 404 for a user who is neither a contact nor in a shared conversation, 403 if
        one of the two has blocked the other or has too many private chats.
        """
        conv = await self.chat.conversations.get_or_create_private(self.user, int(other))
        self.finish({"conversation": await self.chat.conversations.get(self.user, conv)})


class ConversationHandler(ApiHandler):
    """Conversation of the user."""

    async def get(self, conv: str) -> None:
        """GET /api/conversations/ID: respond with the summary; 404 unless the user is a member."""
        found = await self.chat.conversations.get(self.user, int(conv))
        self.finish({"conversation": found})


class MembersHandler(ApiHandler):
    """List of the members of a conversation."""

    async def get(self, conv: str) -> None:
        """GET /api/conversations/ID/members: respond with a page of the list and a cursor.

        With `query` only members whose name contains it are listed. The status is 404 unless the
        user is a member.
        """
        after, query = self.int_query("after"), self.get_query_argument("query", "")
        query = query[: names.MAX_TITLE_LENGTH]
        found, cursor = await self.chat.conversations.list_members(
            self.user, int(conv), after=after, query=query
        )
        self.finish({"members": found, "next": cursor})


class EventsHandler(ApiHandler):
    """History of a conversation."""

    async def get(self, conv: str) -> None:
        """GET /api/conversations/ID/events: respond with a page of events and the head.

        The page has the events before the seq `before` or after the seq `after`, oldest first. The
        status is 404 unless the user is a member.
        """
        found, head = await self.chat.conversations.history(
            self.user,
            int(conv),
            before=self.int_query("before"),
            after=self.int_query("after"),
            limit=self.int_query("limit") or MAX_PAGE_SIZE,
        )
        self.finish({"events": [event.to_dict() for event in found], "head": head})


class EventHandler(ApiHandler):
    """Message of a conversation."""

    async def delete(self, conv: str, seq: str) -> None:
        """DELETE /api/conversations/ID/events/SEQ: delete a message for all members.

        Responds with 204; 404 if there is no such message; 403 for a message of another user,
        unless the user is the owner of the group.
        """
        await self.chat.messages.delete(self.user, int(conv), int(seq))
        self.set_status(204)


class SearchHandler(ApiHandler):
    """Search in the messages of a conversation."""

    async def get(self, conv: str) -> None:
        """GET /api/conversations/ID/search: respond with a page of messages and a cursor.

        The page has the messages that contain `query`, newest first, before the seq `before` if it
        is given. The status is 404 unless the user is a member.
        """
        text = self.get_query_argument("query", "")[: names.MAX_TITLE_LENGTH]
        found, cursor = await self.chat.conversations.search(
            self.user, int(conv), text, before=self.int_query("before"), limit=MAX_RESULTS
        )
        self.finish({"events": [event.to_dict() for event in found], "next": cursor})
