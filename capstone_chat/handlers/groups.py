"""What the page's script asks of groups."""

from capstone_chat import names
from capstone_chat.handlers.base import ApiError, ApiHandler


class GroupApiHandler(ApiHandler):
    """What the handlers of groups share."""

    def title(self, text: str) -> str:
        """Return a title as it is stored; 400 when it is not allowed."""
        title = names.clean(text)
        if problem := names.label_problem(title, names.TITLE_LONGEST):
            raise ApiError(400, "title_invalid", problem, "title")
        return title

    def description(self, text: str) -> str:
        """Return a description as it is stored, which may be empty; 400 when it is not allowed."""
        description = names.clean(text)
        problem = description and names.label_problem(description, names.DESCRIPTION_LONGEST)
        if problem:
            raise ApiError(400, "description_invalid", problem, "description")
        return description

    async def answer(self, conv: int, status: int = 200) -> None:
        """Answer with the group as it is now."""
        self.set_status(status)
        self.finish({"conversation": await self.ask(self.chat.conversations.one(self.user, conv))})


class GroupsHandler(GroupApiHandler):
    """Groups to find, and new ones."""

    async def get(self) -> None:
        """Answer with the groups whose title holds the query."""
        query = self.get_query_argument("query", "")[: names.TITLE_LONGEST]
        self.finish({"groups": await self.chat.groups.find(self.user, query)})

    async def post(self) -> None:
        """Make a group."""
        self.require_patience(self.user.id)
        body = self.body()
        title = self.title(self.text(body, "title"))
        description = self.description(self.text(body, "description"))
        public = self.flag(body, "public", default=True)
        conv = await self.chat.groups.create(self.user, title, description, public=public)
        await self.answer(conv, 201)


class GroupHandler(GroupApiHandler):
    """One group."""

    async def patch(self, conv: str) -> None:
        """Change its title, its description, or whether it is public."""
        self.require_patience(self.user.id)
        body = self.body()
        values: dict[str, str | bool] = {}
        if "title" in body:
            values["title"] = self.title(self.text(body, "title"))
        if "description" in body:
            values["description"] = self.description(self.text(body, "description"))
        if "public" in body:
            values["public"] = self.flag(body, "public")
        await self.ask(self.chat.groups.edit(self.user, int(conv), **values))
        await self.answer(int(conv))


class JoinHandler(GroupApiHandler):
    """A public group to become a member of."""

    async def post(self, conv: str) -> None:
        """Join it."""
        self.require_patience(self.user.id)
        await self.ask(self.chat.groups.join(self.user, int(conv)))
        await self.answer(int(conv))


class GroupMembersHandler(GroupApiHandler):
    """The members of a group, for its owner."""

    async def post(self, conv: str) -> None:
        """Add somebody by user name."""
        self.require_patience(self.user.id)
        name = self.text(self.body(), "name").strip()
        await self.ask(self.chat.groups.add(self.user, int(conv), name))
        await self.answer(int(conv))


class GroupMemberHandler(GroupApiHandler):
    """One member of a group."""

    async def delete(self, conv: str, other: str) -> None:
        """Leave, or as the owner remove somebody else."""
        self.require_patience(self.user.id)
        if int(other) == self.user.id:
            await self.ask(self.chat.groups.leave(self.user, int(conv)))
        else:
            await self.ask(self.chat.groups.remove(self.user, int(conv), int(other)))
        self.set_status(204)


class OwnerHandler(GroupApiHandler):
    """The owner of a group."""

    async def put(self, conv: str) -> None:
        """Hand the group over to another member."""
        self.require_patience(self.user.id)
        heir = self.body().get("user")
        if type(heir) is not int:
            raise ApiError(400, "bad_field", "This must be a whole number.", "user")
        await self.ask(self.chat.groups.hand_over(self.user, int(conv), heir))
        await self.answer(int(conv))
