"""Handlers of the API for groups, their members, invitations and owners."""

import dataclasses

from capstone_chat.conversations import invite_links
from capstone_chat.conversations.invite_links import InviteLink
from capstone_chat.handlers import errors
from capstone_chat.handlers.base import ApiHandler
from capstone_chat.handlers.errors import ApiError
from capstone_chat.text import names


class GroupApiHandler(ApiHandler):
    """Base of the handlers of groups.

    All methods respond with 404 for a group that does not exist or that the user may not know of,
    and with 403 if they are for the owner only and the user is not the owner.
    """

    def validate_title(self, text: str) -> str:
        """Return the normalized title.

        Raises:
            ApiError: 400 if the title is not allowed.
        """
        title = names.normalize(text)
        if problem := names.find_label_problem(title, names.MAX_TITLE_LENGTH):
            raise ApiError(400, "title_invalid", problem, "title")
        return title

    def validate_description(self, text: str) -> str:
        """Return the normalized description, which may be empty.

        Raises:
            ApiError: 400 if the description is not allowed.
        """
        description = names.normalize(text)
        problem = description and names.find_label_problem(
            description, names.MAX_DESCRIPTION_LENGTH
        )
        if problem:
            raise ApiError(400, "description_invalid", problem, "description")
        return description

    async def finish_with_group(self, conv: int, status: int = 200, **more: bool) -> None:
        """Respond with the summary of the group.

        Args:
            conv: the id of the group.
            status: the status of the response.
            more: further items of the JSON object.
        """
        self.set_status(status)
        group = await self.chat.conversations.get(self.user, conv)
        self.finish({"conversation": group, **more})


class GroupsHandler(GroupApiHandler):
    """Search for public groups, and creation of a group."""

    async def get(self) -> None:
        """GET /api/groups: respond with a page of public groups whose title contains `query`."""
        query = self.get_query_argument("query", "")[: names.MAX_TITLE_LENGTH]
        found, cursor = await self.chat.groups.search(
            self.user, query, after=self.int_query("after")
        )
        self.finish({"groups": found, "next": cursor})

    async def post(self) -> None:
        """POST /api/groups: create a group with the user as its owner.

        Responds with 201 and the group; 403 for a user in too many groups.
        """
        body = self.json_body()
        title = self.validate_title(self.str_field(body, "title"))
        description = self.validate_description(self.str_field(body, "description"))
        public = self.bool_field(body, "public", default=True)
        conv = await self.chat.groups.create(self.user, title, description, public=public)
        await self.finish_with_group(conv, 201)


class GroupHandler(GroupApiHandler):
    """Title, description and visibility of a group."""

    async def get(self, conv: str) -> None:
        """GET /api/groups/ID: respond with the public group, null if there is no such group."""
        self.finish({"group": await self.chat.groups.get_public(self.user, int(conv))})

    async def patch(self, conv: str) -> None:
        """PATCH /api/groups/ID: change the given properties; respond with the group. Owner only."""
        body = self.json_body()
        values: dict[str, str | bool] = {}
        if "title" in body:
            values["title"] = self.validate_title(self.str_field(body, "title"))
        if "description" in body:
            values["description"] = self.validate_description(self.str_field(body, "description"))
        if "public" in body:
            values["public"] = self.bool_field(body, "public")
        await self.chat.groups.update(self.user, int(conv), **values)
        await self.finish_with_group(int(conv))


class JoinHandler(GroupApiHandler):
    """Membership of the user in a public group, or in a group to which the user is invited."""

    async def post(self, conv: str) -> None:
        """POST /api/groups/ID/join: become a member; respond with the group.

        The status is 403 if the group or the user has reached a limit.
        """
        await self.chat.groups.join(self.user, int(conv))
        await self.finish_with_group(int(conv))


class GroupMembersHandler(GroupApiHandler):
    """Addition of members to a group."""

    async def post(self, conv: str) -> None:
        """POST /api/groups/ID/members: add or invite a user by user name. Owner only.

        Responds with the group and `invited`, which is true if the user has to accept first; 403
        for an unknown name, a user whom the owner has blocked, or if a limit is reached.
        """
        name = self.str_field(self.json_body(), "name").strip()
        if not self.chat.invitation_limiter.acquire(self.user.id):
            raise errors.too_often()
        invited = await self.chat.groups.add_member(self.user, int(conv), name)
        await self.finish_with_group(int(conv), invited=invited)


class GroupMemberHandler(GroupApiHandler):
    """Membership of a user in a group."""

    async def delete(self, conv: str, other: str) -> None:
        """DELETE /api/groups/ID/members/USER: end the membership; 204.

        Members end their own membership; the owner ends that of any member.
        """
        if int(other) == self.user.id:
            await self.chat.groups.leave(self.user, int(conv))
        else:
            await self.chat.groups.remove_member(self.user, int(conv), int(other))
        self.set_status(204)


class InvitationsHandler(GroupApiHandler):
    """List of the users who are invited to a group."""

    async def get(self, conv: str) -> None:
        """GET /api/groups/ID/invitations: respond with the users, by nickname. Owner only."""
        found = await self.chat.groups.list_invited_users(self.user, int(conv))
        self.finish({"invitations": found})


class InvitationHandler(GroupApiHandler):
    """Invitation of a user to a group."""

    async def delete(self, conv: str, other: str) -> None:
        """DELETE /api/groups/ID/invitations/USER: end the invitation; 204.

        Users decline their own invitation; the owner withdraws that of any user. The status is 404
        if there is no invitation.
        """
        await self.chat.groups.end_invitation(self.user, int(conv), int(other))
        self.set_status(204)


class InviteLinkHandler(GroupApiHandler):
    """Invite link of a group. All methods are for the owner only."""

    async def get(self, conv: str) -> None:
        """GET /api/groups/ID/link: respond with the `link`, null if there is none."""
        self.finish_with_link(await self.chat.invite_links.get(self.user, int(conv)))

    async def post(self, conv: str) -> None:
        """POST /api/groups/ID/link: make a link that is valid for 1, 7 or 30 `days`.

        Responds with 201 and the link. The link before it ends.
        """
        days = self.id_field(self.json_body(), "days")
        if days not in invite_links.LIFETIMES:
            raise errors.not_a_number("days")
        self.set_status(201)
        links = self.chat.invite_links
        self.finish_with_link(await links.replace(self.user, int(conv), days))

    async def delete(self, conv: str) -> None:
        """DELETE /api/groups/ID/link: revoke the link, if there is one; 204."""
        await self.chat.invite_links.replace(self.user, int(conv), None)
        self.set_status(204)

    def finish_with_link(self, link: InviteLink | None) -> None:
        """Respond with a link, or null."""
        self.finish({"link": link and dataclasses.asdict(link)})


class JoinByLinkHandler(GroupApiHandler):
    """Membership of the user in the group of an invite link.

    The token is in the query or the body, because the log has the path of a request. All methods
    respond with 404 for a link that is wrong, revoked or expired, and with 403 if the owner has
    removed the user from the group.
    """

    async def get(self) -> None:
        """GET /api/join: respond with the group of the link with this `token`, like a search."""
        token = self.get_query_argument("token", "")
        self.finish({"group": await self.chat.invite_links.find_group(self.user, token)})

    async def post(self) -> None:
        """POST /api/join: become a member by the link with this `token`; respond with the group."""
        token = self.str_field(self.json_body(), "token")
        conv = await self.chat.invite_links.join(self.user, token)
        await self.finish_with_group(conv)


class OwnerHandler(GroupApiHandler):
    """Ownership of a group."""

    async def put(self, conv: str) -> None:
        """PUT /api/groups/ID/owner: transfer the ownership to another member. Owner only.

        Responds with the group; 404 if the other user is not a member.
        """
        new_owner = self.id_field(self.json_body(), "user")
        await self.chat.groups.transfer_ownership(self.user, int(conv), new_owner)
        await self.finish_with_group(int(conv))
