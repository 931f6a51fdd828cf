"""Registration, login, logout, and the captchas that both forms carry."""

import re
import secrets

from capstone_chat.accounts import login_throttle, passwords
from capstone_chat.accounts.accounts import Login, NameTaken
from capstone_chat.accounts.captcha import FORMS
from capstone_chat.handlers import cookies
from capstone_chat.handlers.base import ApiError, BaseHandler, JsonHandler
from capstone_chat.text import names

WRONG_CAPTCHA = "That was not it. Here is a new one."
WRONG_LOGIN = "The user name or the password is wrong."
TAKEN = "Somebody has this name, or one that looks like it. Choose another one."
MAX_KEY_NAME_LENGTH = 100
"""Characters of a name in the key of a count: longer than any user name, short for a table."""

TOO_OFTEN = "Too many tries. Wait a while and try again."


def safe_next_path(target: str) -> str:
    """Return where to go after login: a path of this site, or `/` for anything else.

    `//host`, `/\\host` and whatever holds control characters leave the site in some browser
    (OWASP Unvalidated Redirects and Forwards Cheat Sheet).
    """
    return target if re.fullmatch(r"/(?![/\\])[^\x00-\x20\\\x7f]*", target) else "/"


class FormHandler(BaseHandler):
    """A form with a captcha. A wrong one comes back with its fields (but not its passwords), an
    error beside each, a fresh captcha and status 400."""

    form_name = ""
    repopulated_fields: tuple[str, ...] = ()
    """Fields that keep their values when the form is shown again."""

    async def prepare(self) -> None:
        """Send those who are logged in to the chat."""
        await super().prepare()
        if self.current_user is not None:
            self.redirect("/")
        else:  # the empty form counts as well: it comes with a fresh captcha
            self.enforce_rate_limit(self.network)

    async def get(self) -> None:
        """Show the empty form."""
        await self.render_form({}, safe_next_path(self.get_query_argument("next", "/")))

    async def render_form(self, errors: dict[str, str], target: str) -> None:
        """Show the form with its errors, by field."""
        self.set_status(400 if errors else 200)
        self.render(
            f"{self.form_name}.html",
            form={name: self.field(name) for name in self.repopulated_fields},
            errors=errors,
            captcha_id=await self.chat.captchas.create(self.form_name, self.browser_id()),
            next=target,
        )

    def field(self, name: str, *, strip: bool = True) -> str:
        """Return what was typed into a field, empty when it is absent."""
        return self.get_body_argument(name, "", strip=strip)

    async def captcha_is_valid(self) -> bool:
        """Tell whether the captcha was answered; it is used up by this."""
        return await self.chat.captchas.verify(
            self.field("captcha_id"), self.form_name, self.browser_id(), self.field("captcha")
        )

    @property
    def user_agent(self) -> str:
        """The browser's own description."""
        return self.request.headers.get("User-Agent", "")

    def log_in(self, login: Login) -> None:
        """Give the browser its session and a device cookie of the account, and redirect to the page
        that was asked for."""
        self.set_private_cookie("session", login.token)
        device = f"{secrets.token_hex(8)}:{names.canonical_key(login.user.name)}"
        self.set_private_cookie(cookies.DEVICE, device)
        self.redirect(safe_next_path(self.field("next")), status=303)


class RegisterHandler(FormHandler):
    """A new user."""

    form_name = "register"
    repopulated_fields = ("name", "nickname")

    async def post(self) -> None:
        """Register, and log in at once."""
        name = names.normalize(self.field("name"))
        nickname = names.normalize(self.field("nickname")) or name
        password = self.field("password", strip=False)
        problems = {
            "name": names.find_username_problem(name),
            "nickname": names.find_nickname_problem(nickname),
            "password": passwords.find_problem(password, name, nickname),
            "confirmation": None
            if password == self.field("confirmation", strip=False)
            else "The two passwords differ.",
            "captcha": None if await self.captcha_is_valid() else WRONG_CAPTCHA,
        }
        translate = self.locale.translate
        errors = {field: translate(problem) for field, problem in problems.items() if problem}
        if not errors:
            try:
                login = await self.chat.accounts.register(name, password, nickname, self.user_agent)
                return self.log_in(login)
            except NameTaken:
                errors["name"] = translate(TAKEN)
        return await self.render_form(errors, safe_next_path(self.field("next")))


class LoginHandler(FormHandler):
    """A user who comes back. Whatever was wrong, the answer is the same and takes as long."""

    form_name = "login"
    repopulated_fields = ("name",)

    async def post(self) -> None:
        """Log in."""
        translate = self.locale.translate
        if not await self.captcha_is_valid():
            errors = {"captcha": translate(WRONG_CAPTCHA)}
            return await self.render_form(errors, safe_next_path(self.field("next")))
        name, password = self.field("name"), self.field("password", strip=False)
        keys = self.throttle_keys(name)
        if await self.chat.login_throttle.reserve_attempt(*keys) > 0:
            return await self.render_form(
                {"form": translate(TOO_OFTEN)}, safe_next_path(self.field("next"))
            )
        login = await self.chat.accounts.log_in(name, password, self.user_agent)
        if login is None:
            errors = {"form": translate(WRONG_LOGIN)}
            return await self.render_form(errors, safe_next_path(self.field("next")))
        await self.chat.login_throttle.record_success(*keys)
        return self.log_in(login)

    def throttle_keys(self, name: str) -> list[str]:
        """Return what failures are counted by. A browser that was logged in to this account before
        counts alone, so a stranger who fails on purpose does not lock the user out."""
        account = names.canonical_key(name)[:MAX_KEY_NAME_LENGTH]
        device_id, _, owner = (self.private_cookie(cookies.DEVICE) or "").partition(":")
        if owner == names.canonical_key(name):
            return login_throttle.known_browser_keys(account, device_id)
        return login_throttle.new_browser_keys(account, self.network)


class LogoutHandler(BaseHandler):
    """The end of a session: of its cookie, of copies of its cookie, and of its open sockets."""

    async def post(self) -> None:
        """Log out."""
        if self.session is not None:
            await self.chat.sessions.revoke(self.session, self.session.id)
        self.clear_private_cookie("session")
        self.redirect(self.reverse_url("login"), status=303)


class NameAvailabilityHandler(JsonHandler):
    """Whether a user name can still be had, asked while it is typed."""

    async def get(self) -> None:
        """Answer as JSON."""
        self.enforce_rate_limit(self.network)
        name = names.normalize(self.get_query_argument("name", ""))
        problem = names.find_username_problem(name)
        if problem is None and await self.chat.accounts.is_taken(name):
            problem = TAKEN
        text = self.locale.translate(problem) if problem else None
        self.finish({"available": problem is None, "problem": text})


class CaptchaHandler(JsonHandler):
    """Another challenge for a form."""

    async def post(self, form: str) -> None:
        """Answer with its id."""
        self.enforce_rate_limit(self.network)
        if form not in FORMS:
            raise ApiError(404, "not_found", "There is no such form.")
        self.finish({"captcha_id": await self.chat.captchas.create(form, self.browser_id())})


class CaptchaMediaHandler(BaseHandler):
    """A challenge to look at or to listen to."""

    async def get(self, challenge: str, kind: str) -> None:
        """Answer with a PNG or a WAV file."""
        self.enforce_rate_limit(self.network)
        captchas = self.chat.captchas
        read, content_type = {
            "png": (captchas.image, "image/png"),
            "wav": (captchas.audio, "audio/wav"),
        }[kind]
        data = await read(challenge, self.browser_id())
        if data is None:
            raise ApiError(404, "not_found", "This captcha is used up. Ask for another one.")
        self.set_header("Content-Type", content_type)
        self.finish(data)
