"""What the page's script asks of contacts."""

from capstone_chat.handlers.base import ApiHandler


class ContactsHandler(ApiHandler):
    """The contact list."""

    async def get(self) -> None:
        """Answer with a page of it."""
        found, cursor = await self.contacts_with_presence(self.int_query("after"))
        self.finish({"contacts": found, "next": cursor})

    async def post(self) -> None:
        """Add, or block, somebody by user name."""
        self.enforce_rate_limit(self.user.id)
        body = self.json_body()
        name, blocked = (
            self.str_field(body, "name").strip(),
            self.bool_field(body, "blocked", default=False),
        )
        added = await self.call_domain(self.chat.contacts.add(self.user, name, blocked=blocked))
        self.set_status(201)
        self.finish({"contact": self.contact_with_presence(added)})


class ContactHandler(ApiHandler):
    """One contact."""

    async def put(self, other: str) -> None:
        """Make somebody a contact, or block, or unblock: {"blocked": true or false}."""
        self.enforce_rate_limit(self.user.id)
        blocked = self.bool_field(self.json_body(), "blocked", default=False)
        changed = await self.call_domain(
            self.chat.contacts.update_or_create(self.user, int(other), blocked=blocked)
        )
        self.finish({"contact": self.contact_with_presence(changed)})

    async def delete(self, other: str) -> None:
        """Take somebody off the list."""
        self.enforce_rate_limit(self.user.id)
        await self.chat.contacts.remove(self.user, int(other))
        self.set_status(204)
