"""Handler of the page of the chat. The page's script loads all data from the API."""

import tornado.web

from capstone_chat.handlers.base import BaseHandler


class ChatHandler(BaseHandler):
    """HTML page of the chat."""

    @tornado.web.authenticated
    async def get(self) -> None:
        """GET /: respond with the page; 302 to `/login` without a session."""
        self.render("chat.html", user=self.user.to_private_dict())
