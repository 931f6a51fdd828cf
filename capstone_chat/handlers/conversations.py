"""What the page's script asks of conversations by HTTP: the state, the history, a search."""

import re

from capstone_chat.conversations.conversations import Cursor
from capstone_chat.conversations.event_log import MAX_PAGE_SIZE
from capstone_chat.handlers.base import ApiError, ApiHandler
from capstone_chat.realtime.protocol import MAX_TEXT_LENGTH
from capstone_chat.text import names

MAX_RESULTS = 30
"""Messages in a page of search results at the most."""


class StateHandler(ApiHandler):
    """All that the page needs to begin, in one answer."""

    async def get(self) -> None:
        """Answer with the user, the contacts, the conversations, the invitations and the limits."""
        # Before the list: what comes between the two is in the list, or in the heads of the socket.
        heads = await self.chat.conversations.heads(self.user)
        contacts, more_contacts = await self.contacts_with_presence()
        conversations, cursor = await self.chat.conversations.list_for(self.user)
        self.finish(
            {
                "user": self.user.to_private_dict(),
                "contacts": contacts,
                "contacts_next": more_contacts,
                "conversations": conversations,
                "invitations": await self.chat.groups.list_invitations(self.user),
                "next": format_cursor(cursor),
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
    """The list of the user's conversations, a page at a time."""

    async def get(self) -> None:
        """Answer with the liveliest, or those after a cursor, or those that a query finds."""
        query = self.get_query_argument("query", "")[: names.MAX_TITLE_LENGTH]
        found, cursor = await self.chat.conversations.list_for(
            self.user, before=self.cursor_query(), query=query
        )
        self.finish({"conversations": found, "next": format_cursor(cursor)})

    def cursor_query(self) -> Cursor | None:
        """Return the cursor in the query; 400 when it is none of this chat."""
        value = self.get_query_argument("before", None)
        if value is None:
            return None
        match = re.fullmatch(r"([0-9]{1,15})-([0-9]{1,15})", value)
        if match is None:
            raise ApiError(400, "bad_field", "This cursor is not known here.", "before")
        return int(match[1]), int(match[2])


def format_cursor(cursor: Cursor | None) -> str | None:
    """Return a cursor as clients get it and send it back."""
    return "{}-{}".format(*cursor) if cursor else None


class PrivateHandler(ApiHandler):
    """The private chat with somebody."""

    async def post(self, other: str) -> None:
        """Answer with it; it is made when there is none."""
        self.enforce_rate_limit(self.user.id)
        conv = await self.call_domain(
            self.chat.conversations.get_or_create_private(self.user, int(other))
        )
        self.finish({"conversation": await self.chat.conversations.get(self.user, conv)})


class ConversationHandler(ApiHandler):
    """One conversation."""

    async def get(self, conv: str) -> None:
        """Answer with it, as the state has it."""
        found = await self.call_domain(self.chat.conversations.get(self.user, int(conv)))
        self.finish({"conversation": found})


class MembersHandler(ApiHandler):
    """The members of a conversation."""

    async def get(self, conv: str) -> None:
        """Answer with a page of its members."""
        after, query = self.int_query("after"), self.get_query_argument("query", "")
        query = query[: names.MAX_TITLE_LENGTH]
        found, cursor = await self.call_domain(
            self.chat.conversations.list_members(self.user, int(conv), after=after, query=query)
        )
        self.finish({"members": found, "next": cursor})


class EventsHandler(ApiHandler):
    """The history of a conversation, a page at a time."""

    async def get(self, conv: str) -> None:
        """Answer with the events before or after a seq, oldest first."""
        found, head = await self.call_domain(
            self.chat.conversations.history(
                self.user,
                int(conv),
                before=self.int_query("before"),
                after=self.int_query("after"),
                limit=self.int_query("limit") or MAX_PAGE_SIZE,
            )
        )
        self.finish({"events": [event.to_dict() for event in found], "head": head})


class EventHandler(ApiHandler):
    """One message."""

    async def delete(self, conv: str, seq: str) -> None:
        """Delete it, for everybody."""
        self.enforce_rate_limit(self.user.id)
        await self.call_domain(self.chat.messages.delete(self.user, int(conv), int(seq)))
        self.set_status(204)


class SearchHandler(ApiHandler):
    """Messages of a conversation that hold a text."""

    async def get(self, conv: str) -> None:
        """Answer with the newest of them, before a seq if one is given."""
        text = self.get_query_argument("query", "")[: names.MAX_TITLE_LENGTH]
        found, cursor = await self.call_domain(
            self.chat.conversations.search(
                self.user, int(conv), text, before=self.int_query("before"), limit=MAX_RESULTS
            )
        )
        self.finish({"events": [event.to_dict() for event in found], "next": cursor})
