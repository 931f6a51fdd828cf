"""Handler of the login links of a demo. Its route exists only with the option `--demo`."""

import tornado.web

from capstone_chat.accounts.accounts import Login
from capstone_chat.handlers.base import BaseHandler
from capstone_chat.handlers.errors import link_ended


class DemoLoginHandler(BaseHandler):
    """Login by a link that is valid once."""

    def initialize(self, logins: dict[str, Login]) -> None:
        """Set the logins by the tokens of their links; Tornado calls this."""
        self.logins = logins

    async def head(self, *_arguments: str) -> None:
        """HEAD /demo: 405, because the method must not use up the link (RFC 9110, 9.2.1)."""
        raise tornado.web.HTTPError(405)

    async def get(self) -> None:
        """GET /demo?token=: log in and redirect to `/`.

        A link that was used redirects a browser that is logged in; for others the status is 404.
        The token is in the query, which is not logged.
        """
        self.enforce_rate_limit(self.network)
        login = self.logins.pop(self.get_query_argument("token", ""), None)
        if login is not None:
            self.set_private_cookie("session", login.token)
        elif self.current_user is None:
            raise link_ended()
        self.redirect("/", status=303)
