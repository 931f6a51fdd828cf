"""Registration; the handler on which all others are based."""

import asyncio

import accounts
import tornado.web
from accounts import FormError
from database import Database


class BaseHandler(tornado.web.RequestHandler):
    """Find the user of the session cookie before the method runs."""

    @property
    def database(self) -> Database:
        return self.settings["database"]

    async def prepare(self) -> None:
        if token := self.get_cookie("session"):
            session = accounts.hash_token(token)
            self.current_user = await self.database.run(accounts.find_user, session)

    async def start_session(self, user: int) -> None:
        """Log in: set the cookie of a new session, and go to the chat."""
        token = await self.database.run(accounts.start_session, user)
        lifetime = accounts.SESSION_LIFETIME
        # HttpOnly: no script reads it. SameSite=Lax: no form of another site sends it.
        self.set_cookie("session", token, httponly=True, samesite="Lax", max_age=lifetime)
        self.redirect("/", status=303)


class RegisterHandler(BaseHandler):
    """The form. If it cannot be accepted, it comes back with the reason."""

    def get(self) -> None:
        self.show_form()

    async def post(self) -> None:
        try:
            await self.accept()
        except FormError as error:
            self.set_status(400)
            self.show_form(str(error))

    async def accept(self) -> None:
        """Create the account and log in; raises FormError if the form cannot be accepted."""
        name, nickname = self.get_body_argument("name"), self.get_body_argument("nickname")
        password = self.get_body_argument("password", strip=False)
        confirmation = self.get_body_argument("confirmation", strip=False)
        accounts.check_registration(nickname, password, confirmation)
        hashed = await asyncio.to_thread(accounts.HASHER.hash, password)
        user = await self.database.run(accounts.create_user, name, nickname, hashed)
        await self.start_session(user)

    def show_form(self, error: str = "") -> None:
        """Send the form, with what was typed, but for the password."""
        self.render("register.html", error=error, field=lambda name: self.get_argument(name, ""))
