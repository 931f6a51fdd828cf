"""What the page's script asks of conversations by HTTP: the state, the history, a search."""

from capstone_chat import names
from capstone_chat.events import PAGE
from capstone_chat.handlers.base import ApiHandler
from capstone_chat.protocol import TEXT_LIMIT

FOUND = 30
"""Messages in a page of search results at the most."""


class StateHandler(ApiHandler):
    """All that the page needs to begin, in one answer."""

    async def get(self) -> None:
        """Answer with the user, the contacts, the conversations and the limits."""
        self.finish(
            {
                "user": self.user.private(),
                "contacts": await self.contacts(),
                "conversations": await self.chat.conversations.of(self.user),
                "limits": {
                    "text": TEXT_LIMIT,
                    "title": names.TITLE_LONGEST,
                    "description": names.DESCRIPTION_LONGEST,
                    "nickname": names.NICKNAME_LONGEST,
                },
            }
        )


class PrivateHandler(ApiHandler):
    """The private chat with somebody."""

    async def post(self, other: str) -> None:
        """Answer with it; it is made when there is none."""
        self.require_patience(self.user.id)
        conv = await self.ask(self.chat.conversations.open_private(self.user, int(other)))
        self.finish({"conversation": await self.chat.conversations.one(self.user, conv)})


class ConversationHandler(ApiHandler):
    """One conversation."""

    async def get(self, conv: str) -> None:
        """Answer with it, as the state has it."""
        found = await self.ask(self.chat.conversations.one(self.user, int(conv)))
        self.finish({"conversation": found})


class MembersHandler(ApiHandler):
    """Who is in a conversation."""

    async def get(self, conv: str) -> None:
        """Answer with its members."""
        found = await self.ask(self.chat.conversations.members(self.user, int(conv)))
        self.finish({"members": found})


class EventsHandler(ApiHandler):
    """The history of a conversation, a page at a time."""

    async def get(self, conv: str) -> None:
        """Answer with the events before or after a seq, oldest first."""
        found, head = await self.ask(
            self.chat.conversations.history(
                self.user,
                int(conv),
                before=self.whole("before"),
                after=self.whole("after"),
                limit=self.whole("limit") or PAGE,
            )
        )
        self.finish({"events": [event.public() for event in found], "head": head})


class EventHandler(ApiHandler):
    """One message."""

    async def delete(self, conv: str, seq: str) -> None:
        """Delete it, for everybody."""
        self.require_patience(self.user.id)
        await self.ask(self.chat.messages.delete(self.user, int(conv), int(seq)))
        self.set_status(204)


class SearchHandler(ApiHandler):
    """Messages of a conversation that hold a text."""

    async def get(self, conv: str) -> None:
        """Answer with the newest of them, before a seq if one is given."""
        self.require_patience(self.user.id)
        text = self.get_query_argument("query", "")[: names.TITLE_LONGEST]
        found = await self.ask(
            self.chat.conversations.find(
                self.user, int(conv), text, before=self.whole("before"), limit=FOUND
            )
        )
        self.finish({"events": [event.public() for event in found], "more": len(found) == FOUND})
