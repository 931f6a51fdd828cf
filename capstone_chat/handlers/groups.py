"""What the page's script asks of groups."""

from capstone_chat.handlers.base import ApiError, ApiHandler
from capstone_chat.text import names


class GroupApiHandler(ApiHandler):
    """What the handlers of groups share."""

    def validate_title(self, text: str) -> str:
        """Return a title as it is stored; 400 when it is not allowed."""
        title = names.normalize(text)
        if problem := names.find_label_problem(title, names.MAX_TITLE_LENGTH):
            raise ApiError(400, "title_invalid", problem, "title")
        return title

    def validate_description(self, text: str) -> str:
        """Return a description as it is stored, which may be empty; 400 when it is not allowed."""
        description = names.normalize(text)
        problem = description and names.find_label_problem(
            description, names.MAX_DESCRIPTION_LENGTH
        )
        if problem:
            raise ApiError(400, "description_invalid", problem, "description")
        return description

    async def finish_with_group(self, conv: int, status: int = 200, **more: bool) -> None:
        """Answer with the group as it is now."""
        self.set_status(status)
        group = await self.call_domain(self.chat.conversations.get(self.user, conv))
        self.finish({"conversation": group, **more})


class GroupsHandler(GroupApiHandler):
    """Groups to find, and new ones."""

    async def get(self) -> None:
        """Answer with a page of the groups whose title holds the query."""
        query = self.get_query_argument("query", "")[: names.MAX_TITLE_LENGTH]
        found, cursor = await self.chat.groups.search(
            self.user, query, after=self.int_query("after")
        )
        self.finish({"groups": found, "next": cursor})

    async def post(self) -> None:
        """Make a group."""
        self.enforce_rate_limit(self.user.id)
        body = self.json_body()
        title = self.validate_title(self.str_field(body, "title"))
        description = self.validate_description(self.str_field(body, "description"))
        public = self.bool_field(body, "public", default=True)
        conv = await self.call_domain(
            self.chat.groups.create(self.user, title, description, public=public)
        )
        await self.finish_with_group(conv, 201)


class GroupHandler(GroupApiHandler):
    """One group."""

    async def patch(self, conv: str) -> None:
        """Change its title, its description, or whether it is public."""
        self.enforce_rate_limit(self.user.id)
        body = self.json_body()
        values: dict[str, str | bool] = {}
        if "title" in body:
            values["title"] = self.validate_title(self.str_field(body, "title"))
        if "description" in body:
            values["description"] = self.validate_description(self.str_field(body, "description"))
        if "public" in body:
            values["public"] = self.bool_field(body, "public")
        await self.call_domain(self.chat.groups.update(self.user, int(conv), **values))
        await self.finish_with_group(int(conv))


class JoinHandler(GroupApiHandler):
    """A public group to become a member of, or one to which the user is invited."""

    async def post(self, conv: str) -> None:
        """Join it."""
        self.enforce_rate_limit(self.user.id)
        await self.call_domain(self.chat.groups.join(self.user, int(conv)))
        await self.finish_with_group(int(conv))


class GroupMembersHandler(GroupApiHandler):
    """The members of a group, for its owner."""

    async def post(self, conv: str) -> None:
        """Add somebody by user name, or invite them."""
        self.enforce_rate_limit(self.user.id)
        name = self.str_field(self.json_body(), "name").strip()
        if not self.chat.invitation_limiter.acquire(self.user.id):
            raise ApiError(429, "rate_limited", "That was too often. Wait a moment and try again.")
        invited = await self.call_domain(self.chat.groups.add_member(self.user, int(conv), name))
        await self.finish_with_group(int(conv), invited=invited)


class GroupMemberHandler(GroupApiHandler):
    """One member of a group."""

    async def delete(self, conv: str, other: str) -> None:
        """Leave, or as the owner remove somebody else."""
        self.enforce_rate_limit(self.user.id)
        if int(other) == self.user.id:
            await self.call_domain(self.chat.groups.leave(self.user, int(conv)))
        else:
            await self.call_domain(self.chat.groups.remove_member(self.user, int(conv), int(other)))
        self.set_status(204)


class InvitationsHandler(GroupApiHandler):
    """The people who are invited to a group, for its owner."""

    async def get(self, conv: str) -> None:
        """Answer with them, by nickname."""
        found = await self.call_domain(self.chat.groups.list_invited_users(self.user, int(conv)))
        self.finish({"invitations": found})


class InvitationHandler(GroupApiHandler):
    """One invitation to a group."""

    async def delete(self, conv: str, other: str) -> None:
        """Decline the user's own, or as the owner withdraw another one."""
        self.enforce_rate_limit(self.user.id)
        await self.call_domain(self.chat.groups.end_invitation(self.user, int(conv), int(other)))
        self.set_status(204)


class OwnerHandler(GroupApiHandler):
    """The owner of a group."""

    async def put(self, conv: str) -> None:
        """Hand the group over to another member."""
        self.enforce_rate_limit(self.user.id)
        new_owner = self.id_field(self.json_body(), "user")
        await self.call_domain(self.chat.groups.transfer_ownership(self.user, int(conv), new_owner))
        await self.finish_with_group(int(conv))
