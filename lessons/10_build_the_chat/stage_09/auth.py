"""Registration, login and logout; the handler on which all others are based."""

import asyncio

import accounts
import captchas
import tornado.web
from accounts import FormError
from database import Database


class BaseHandler(tornado.web.RequestHandler):
    """Find the user of the session cookie before the method runs."""

    session = ""
    """The hash of the token in the cookie."""

    @property
    def database(self) -> Database:
        return self.settings["database"]

    async def prepare(self) -> None:
        if token := self.get_cookie("session"):
            self.session = accounts.hash_token(token)
            self.current_user = await self.database.run(accounts.find_user, self.session)

    async def start_session(self, user: int) -> None:
        """Log in: set the cookie of a new session, and go to the chat."""
        token = await self.database.run(accounts.start_session, user)
        lifetime = accounts.SESSION_LIFETIME
        # HttpOnly: no script reads it. SameSite=Lax: no form of another site sends it.
        self.set_cookie("session", token, httponly=True, samesite="Lax", max_age=lifetime)
        self.redirect("/", status=303)


class FormHandler(BaseHandler):
    """A page with a form and a captcha. A form that cannot be accepted comes back."""

    form: str
    """The name of the form; a captcha is valid for one form only."""

    async def get(self) -> None:
        await self.show_form()

    async def post(self) -> None:
        try:
            await self.check_captcha()
            await self.accept()
        except FormError as error:
            self.set_status(400)
            await self.show_form(str(error))

    async def check_captcha(self) -> None:
        """Use the captcha of the form; raises FormError if the answer is wrong."""
        captcha_id, answer = (self.get_body_argument(key, "") for key in ("captcha_id", "captcha"))
        if not await self.database.run(captchas.use_captcha, captcha_id, self.form, answer):
            raise captchas.wrong_answer()

    async def accept(self) -> None:
        """Do what the form is for; raises FormError if that is not possible."""
        raise NotImplementedError

    async def show_form(self, error: str = "") -> None:
        """Send the form with a new captcha and what was typed, but for the password."""
        captcha_id, answer = await self.database.run(captchas.create_captcha, self.form)
        self.set_header("Cache-Control", "no-store")
        self.render(
            f"{self.form}.html",
            error=error,
            field=lambda name: self.get_argument(name, ""),
            captcha_id=captcha_id,
            picture=await asyncio.to_thread(captchas.draw_captcha, answer),
        )


class RegisterHandler(FormHandler):
    form = "register"

    async def accept(self) -> None:
        name, nickname = self.get_body_argument("name"), self.get_body_argument("nickname")
        password = self.get_body_argument("password", strip=False)
        confirmation = self.get_body_argument("confirmation", strip=False)
        accounts.check_registration(nickname, password, confirmation)
        hashed = await asyncio.to_thread(accounts.HASHER.hash, password)
        user = await self.database.run(accounts.create_user, name, nickname, hashed)
        await self.start_session(user)


class LoginHandler(FormHandler):
    form = "login"

    async def accept(self) -> None:
        password = self.get_body_argument("password", strip=False)
        found = await self.database.run(accounts.find_password, self.get_body_argument("name"))
        if not found or not await asyncio.to_thread(accounts.is_password, found[1], password):
            raise FormError("The name or the password is wrong.")  # not which of the two
        await self.start_session(found[0])


class LogoutHandler(BaseHandler):
    async def post(self) -> None:
        await self.database.run(accounts.end_session, self.session)
        self.settings["hub"].disconnect(self.session)
        self.clear_cookie("session")
        self.redirect("/login", status=303)


class NamesHandler(BaseHandler):
    """Whether a user name can be registered, for the form that is being filled in."""

    async def get(self) -> None:
        name = self.get_query_argument("name")
        problem = await self.database.run(accounts.check_name, name)
        self.write({"available": not problem, "problem": problem})
