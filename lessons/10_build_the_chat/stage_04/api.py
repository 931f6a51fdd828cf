"""The API: JSON for the scripts of the page."""

from typing import Any

import messages
from auth import BaseHandler
from errors import ChatError


class ApiHandler(BaseHandler):
    """A handler for users who are logged in; others get the status 401, not the login page."""

    async def prepare(self) -> None:
        await super().prepare()
        if not self.current_user:
            raise ChatError(401, "unauthorized", "Log in first.")
        self.set_header("Cache-Control", "no-store")

    async def run(self, work: Any, *args: Any) -> Any:
        """Return work(connection, user id, *args), run in the database."""
        return await self.database.run(work, self.current_user["id"], *args)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Send an error as JSON."""
        error = kwargs["exc_info"][1]
        if not isinstance(error, ChatError):
            error = ChatError(status_code, "error", self._reason)
        self.finish({"error": {"code": error.code, "message": error.message}})


class EventsHandler(ApiHandler):
    """The newest messages of a conversation."""

    async def get(self, conv: str) -> None:
        self.write({"events": await self.run(messages.load_history, int(conv))})
