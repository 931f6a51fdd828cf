"""Handlers of the API for contacts and blocked users."""

from capstone_chat.handlers.base import ApiHandler


class ContactsHandler(ApiHandler):
    """Contact list of the user, blocked users included."""

    async def get(self) -> None:
        """GET /api/contacts: respond with a page of the list and the cursor of the next page."""
        found, cursor = await self.contacts_with_presence(self.int_query("after"))
        self.finish({"contacts": found, "next": cursor})

    async def post(self) -> None:
        """POST /api/contacts: add or block a user by user name.

        Responds with 201 and the contact; 404 for an unknown name, 403 if the list is full or the
        name is the user's own.
        """
        body = self.json_body()
        name, blocked = (
            self.str_field(body, "name").strip(),
            self.bool_field(body, "blocked", default=False),
        )
        added = await self.chat.contacts.add(self.user, name, blocked=blocked)
        self.set_status(201)
        self.finish({"contact": (await self.with_presence([added]))[0]})


class UsersHandler(ApiHandler):
    """Search for a user by user name."""

    async def get(self) -> None:
        """GET /api/users: respond with the user whose user name is `name`, null if there is none.

        It has the rate limit of POST /api/contacts, which reveals the same.
        """
        self.enforce_rate_limit(self.user.id)
        name = self.get_query_argument("name", "").strip()
        self.finish({"user": await self.chat.contacts.get_by_name(name)})


class ContactHandler(ApiHandler):
    """Entry of the user's contact list."""

    async def put(self, other: str) -> None:
        """PUT /api/contacts/USER: add, block or unblock a user.

        Responds with the contact; 404 unless the other user is a contact, a member of a shared
        conversation or an inviter, 403 if the list is full or the id is the user's own.
        """
        blocked = self.bool_field(self.json_body(), "blocked", default=False)
        changed = await self.chat.contacts.update_or_create(self.user, int(other), blocked=blocked)
        self.finish({"contact": (await self.with_presence([changed]))[0]})

    async def delete(self, other: str) -> None:
        """DELETE /api/contacts/USER: remove the entry; 204, also if there is none."""
        await self.chat.contacts.remove(self.user, int(other))
        self.set_status(204)
