"""The page of the chat; its script asks for the rest."""

from capstone_chat.handlers.base import BaseHandler, logged_in


class ChatHandler(BaseHandler):
    """The chat itself."""

    @logged_in
    async def get(self) -> None:
        """Show it."""
        self.render("chat.html", user=self.user.to_private_dict())
