"""What the page's script asks of contacts."""

from capstone_chat.handlers.base import ApiHandler


class ContactsHandler(ApiHandler):
    """The contact list."""

    async def get(self) -> None:
        """Answer with it."""
        self.finish({"contacts": await self.contacts()})

    async def post(self) -> None:
        """Add somebody by user name."""
        self.require_patience(self.user.id)
        name = self.text(self.body(), "name").strip()
        await self.ask(self.chat.contacts.add(self.user, name))
        self.set_status(201)
        self.finish({"contacts": await self.contacts()})


class ContactHandler(ApiHandler):
    """One contact."""

    async def put(self, other: str) -> None:
        """Make somebody a contact, or block, or unblock: {"blocked": true or false}."""
        self.require_patience(self.user.id)
        blocked = self.flag(self.body(), "blocked", default=False)
        await self.ask(self.chat.contacts.set(self.user, int(other), blocked=blocked))
        self.finish({"contacts": await self.contacts()})

    async def delete(self, other: str) -> None:
        """Take somebody off the list."""
        self.require_patience(self.user.id)
        await self.chat.contacts.remove(self.user, int(other))
        self.finish({"contacts": await self.contacts()})
