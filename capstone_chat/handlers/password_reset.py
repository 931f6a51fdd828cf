"""Handler of the link with which a user sets a new password once."""

from capstone_chat.accounts import passwords
from capstone_chat.handlers.base import BaseHandler
from capstone_chat.handlers.errors import link_ended


class PasswordResetHandler(BaseHandler):
    """Form for a new password. The token of the link is in the query, which is not logged."""

    async def prepare(self) -> None:
        """Enforce the rate limit of the client's network."""
        await super().prepare()
        self.enforce_rate_limit(self.network)

    async def get(self) -> None:
        """GET /reset?token=: respond with the form; 404 for a link that is not valid."""
        token = self.get_query_argument("token", "")
        if await self.chat.password_resets.find_user(token) is None:
            raise link_ended()
        self.render_form(token, {})

    async def post(self) -> None:
        """POST /reset: set the password, end the user's sessions and log in.

        Responds with 303 to `/`; with the form and 400 if the password is not accepted; with 404
        for a link that is not valid, which changes nothing.
        """
        token = self.get_body_argument("token", "")
        password = self.get_body_argument("password", "", strip=False)
        user = await self.chat.password_resets.find_user(token)
        if user is None:
            raise link_ended()
        confirmation = self.get_body_argument("confirmation", "", strip=False)
        problems = {
            "password": passwords.find_problem(password, user.name, user.nickname),
            "confirmation": None if password == confirmation else passwords.DIFFERENT,
        }
        errors = {name: self.locale.translate(text) for name, text in problems.items() if text}
        if errors:
            return self.render_form(token, errors)
        user_agent = self.request.headers.get("User-Agent", "")
        login = await self.chat.password_resets.set_password(token, password, user_agent)
        if login is None:
            raise link_ended()
        self.set_private_cookie("session", login.token)
        return self.redirect("/", status=303)

    def render_form(self, token: str, errors: dict[str, str]) -> None:
        """Respond with the form: status 400 if there are errors, else 200."""
        self.set_status(400 if errors else 200)
        self.render("reset.html", token=token, errors=errors, form={})
