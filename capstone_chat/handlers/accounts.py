"""Registration, login, logout, and the captchas that both forms carry."""

import re
import secrets

from capstone_chat import names, passwords
from capstone_chat.accounts import NameTaken, User
from capstone_chat.captcha import FORMS
from capstone_chat.handlers.base import DAY, ApiError, BaseHandler, JsonHandler

WRONG_CAPTCHA = "That was not it. Here is a new one."
WRONG_LOGIN = "The user name or the password is wrong."
TAKEN = "Somebody has this name. Choose another one."
TOO_OFTEN = "Too many tries. Wait a while and try again."


def local_path(target: str) -> str:
    """Return where to go after login: a path of this site, or `/` for anything else.

    `//host`, `/\\host` and whatever holds control characters leave the site in some browser
    (OWASP Unvalidated Redirects and Forwards Cheat Sheet).
    """
    return target if re.fullmatch(r"/(?![/\\])[^\x00-\x20\\\x7f]*", target) else "/"


class FormHandler(BaseHandler):
    """A form with a captcha. A wrong one comes back with its fields (but not its passwords), an
    error beside each, a fresh captcha and status 400."""

    form_name = ""
    kept: tuple[str, ...] = ()
    """Fields that are shown again."""

    async def prepare(self) -> None:
        """Send those who are logged in to the chat."""
        await super().prepare()
        if self.current_user is not None:
            self.redirect("/")
        else:  # the empty form counts as well: it comes with a fresh captcha
            self.require_patience(self.request.remote_ip)

    async def get(self) -> None:
        """Show the empty form."""
        await self.show({}, local_path(self.get_query_argument("next", "/")))

    async def show(self, errors: dict[str, str], target: str) -> None:
        """Show the form with its errors, by field."""
        self.set_status(400 if errors else 200)
        self.render(
            f"{self.form_name}.html",
            form={name: self.field(name) for name in self.kept},
            errors=errors,
            captcha_id=await self.chat.captchas.issue(self.form_name, self.browser()),
            next=target,
        )

    def field(self, name: str, *, strip: bool = True) -> str:
        """Return what was typed into a field, empty when it is absent."""
        return self.get_body_argument(name, "", strip=strip)

    async def captcha_right(self) -> bool:
        """Tell whether the captcha was answered; it is used up by this."""
        return await self.chat.captchas.check(
            self.field("captcha_id"), self.form_name, self.browser(), self.field("captcha")
        )

    async def enter(self, user: User) -> None:
        """Begin a session under a new id, remember that this browser knows the account, and go on
        to the page that was asked for."""
        agent = self.request.headers.get("User-Agent", "")
        token = await self.chat.sessions.start(user, agent)
        self.set_private_cookie("session", token, self.chat.options.session_lifetime / DAY)
        known = f"{secrets.token_hex(8)}:{names.key(user.name)}"
        self.set_private_cookie("known", known, 365)
        self.redirect(local_path(self.field("next")), status=303)


class RegisterHandler(FormHandler):
    """A new user."""

    form_name = "register"
    kept = ("name", "nickname")

    async def post(self) -> None:
        """Register, and log in at once."""
        name = names.clean(self.field("name"))
        nickname = names.clean(self.field("nickname")) or name
        password = self.field("password", strip=False)
        problems = {
            "name": names.name_problem(name),
            "nickname": names.label_problem(nickname, names.NICKNAME_LONGEST),
            "password": passwords.problem(password, name, nickname),
            "confirmation": None
            if password == self.field("confirmation", strip=False)
            else "The two passwords differ.",
            "captcha": None if await self.captcha_right() else WRONG_CAPTCHA,
        }
        translate = self.locale.translate
        errors = {field: translate(problem) for field, problem in problems.items() if problem}
        if not errors:
            try:
                user = await self.chat.accounts.register(name, password, nickname)
                return await self.enter(user)
            except NameTaken:
                errors["name"] = translate(TAKEN)
        return await self.show(errors, local_path(self.field("next")))


class LoginHandler(FormHandler):
    """A user who comes back. Whatever was wrong, the answer is the same and takes as long."""

    form_name = "login"
    kept = ("name",)

    async def post(self) -> None:
        """Log in."""
        translate = self.locale.translate
        if not await self.captcha_right():
            errors = {"captcha": translate(WRONG_CAPTCHA)}
            return await self.show(errors, local_path(self.field("next")))
        name, password = self.field("name"), self.field("password", strip=False)
        keys = self.throttle_keys(name)
        if await self.chat.throttle.attempt(*keys) > 0:
            return await self.show({"form": translate(TOO_OFTEN)}, local_path(self.field("next")))
        user = await self.chat.accounts.check(name, password)
        if user is None:
            errors = {"form": translate(WRONG_LOGIN)}
            return await self.show(errors, local_path(self.field("next")))
        await self.chat.throttle.succeeded(*keys)
        return await self.enter(user)

    def throttle_keys(self, name: str) -> list[str]:
        """Return what failures are counted by. A browser that was logged in to this account before
        counts alone, so a stranger who fails on purpose does not lock the user out."""
        account = names.key(name)[:100]
        known = self.get_signed_cookie(self.cookie_name("known"), max_age_days=366)
        browser, _, owner = (known or b"").decode().partition(":")
        if owner == names.key(name):
            return [f"account:{account}:{browser}"]
        return [f"account:{account}", f"address:{self.request.remote_ip}"]


class LogoutHandler(BaseHandler):
    """The end of a session: of its cookie, of copies of its cookie, and of its open sockets."""

    async def post(self) -> None:
        """Log out."""
        if self.session is not None:
            await self.chat.sessions.end(self.user, self.session.id)
        self.clear_cookie(self.cookie_name("session"), secure=self.chat.options.secure)
        self.redirect(self.reverse_url("login"), status=303)


class NamesHandler(JsonHandler):
    """Whether a user name can still be had, asked while it is typed."""

    async def get(self) -> None:
        """Answer as JSON."""
        self.require_patience(self.request.remote_ip)
        name = names.clean(self.get_query_argument("name", ""))
        problem = names.name_problem(name)
        if problem is None and await self.chat.accounts.is_taken(name):
            problem = TAKEN
        text = self.locale.translate(problem) if problem else None
        self.finish({"available": problem is None, "problem": text})


class CaptchaHandler(JsonHandler):
    """Another challenge for a form."""

    async def post(self, form: str) -> None:
        """Answer with its id."""
        self.require_patience(self.request.remote_ip)
        if form not in FORMS:
            raise ApiError(404, "not_found", "There is no such form.")
        self.finish({"captcha_id": await self.chat.captchas.issue(form, self.browser())})


class CaptchaPictureHandler(BaseHandler):
    """A challenge to look at or to listen to."""

    async def get(self, challenge: str, kind: str) -> None:
        """Answer with a PNG or a WAV file."""
        self.require_patience(self.request.remote_ip)
        captchas = self.chat.captchas
        show, content_type = {
            "png": (captchas.picture, "image/png"),
            "wav": (captchas.sound, "audio/wav"),
        }[kind]
        data = await show(challenge, self.browser())
        if data is None:
            raise ApiError(404, "not_found", "This captcha is used up. Ask for another one.")
        self.set_header("Content-Type", content_type)
        self.finish(data)
