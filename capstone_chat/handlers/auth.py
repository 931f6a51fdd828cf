"""Handlers for registration, login, logout and captchas. All of them work without a session."""

import re
import secrets

from capstone_chat.accounts import login_throttle, passwords
from capstone_chat.accounts.accounts import Login, NameTaken
from capstone_chat.accounts.captcha import FORMS
from capstone_chat.handlers import cookies
from capstone_chat.handlers.base import BaseHandler, JsonHandler
from capstone_chat.handlers.errors import TOO_MANY_TRIES, ApiError
from capstone_chat.text import names

WRONG_CAPTCHA = "That was wrong. Here is a new picture."
MISSING_CAPTCHA = "Enter the characters in the picture, too."
WRONG_LOGIN = "The user name or the password is wrong."
TAKEN = "Somebody has this name, or one that looks like it. Choose another one."
NOTICES = {
    "ended": "You are logged out: your session was ended or has expired.",
    "deleted": "Your account has been deleted.",
}
"""Sentences of the login page about the reason why the page of the chat leads there."""
MAX_KEY_NAME_LENGTH = 100
"""Maximum number of characters of a user name in a key of the login throttle.

The key is a column of a table. Valid user names are shorter, see `names`.
"""


def safe_next_path(target: str) -> str:
    r"""Return the path to redirect to after login: `target` if it is a path of this site, else `/`.

    `//host` and `/\host` lead to another site. Some browsers remove control characters, so a path
    that contains them is refused too (OWASP Unvalidated Redirects and Forwards Cheat Sheet).
    """
    return target if re.fullmatch(r"/(?![/\\])[^\x00-\x20\\\x7f]*", target) else "/"


class FormHandler(BaseHandler):
    """Base of the forms with a captcha.

    If the input is invalid, the response has status 400 and contains the form again: the values of
    `repopulated_fields`, an error message beside each invalid field and a new captcha. Passwords
    are never sent back.
    """

    form_name = ""
    """Name of the form: of its template and of its captchas."""
    repopulated_fields: tuple[str, ...] = ()
    """Names of the fields whose values are sent back with the form."""

    async def prepare(self) -> None:
        """Redirect a user who is logged in to `/`; enforce the rate limit for all others."""
        await super().prepare()
        if self.current_user is not None:
            self.redirect("/")
        else:  # GET counts as well: each form creates a captcha in the database
            self.enforce_rate_limit(self.network)

    async def get(self) -> None:
        """GET /register or /login: respond with the empty form."""
        await self.render_form({})

    @property
    def target(self) -> str:
        """The path to redirect to after login: the field or argument `next`, else `/`."""
        return safe_next_path(self.get_argument("next", "/"))

    async def render_form(self, errors: dict[str, str]) -> None:
        """Respond with the form: status 400 if there are errors, else 200.

        Args:
            errors: translated messages by field name; `form` for an error of the whole form.
        """
        self.set_status(400 if errors else 200)
        captcha_id = ""
        if await self.needs_captcha():
            captcha_id = await self.chat.captchas.create(self.form_name, self.browser_id())
        self.render(
            f"{self.form_name}.html",
            form={name: self.field(name) for name in self.repopulated_fields},
            errors=errors,
            captcha_id=captcha_id,
            next=self.target,
        )

    def field(self, name: str, *, strip: bool = True) -> str:
        """Return the value of a field of the form, "" if it is absent.

        Args:
            name: the name of the field.
            strip: whether to remove white space at both ends; False for passwords.
        """
        return self.get_body_argument(name, "", strip=strip)

    async def needs_captcha(self) -> bool:
        """Return whether the form has a captcha."""
        return True

    async def captcha_is_valid(self) -> bool:
        """Return whether the captcha was solved. Each captcha can be verified only once."""
        return await self.chat.captchas.verify(
            self.field("captcha_id"), self.form_name, self.browser_id(), self.field("captcha")
        )

    @property
    def user_agent(self) -> str:
        """The header User-Agent. The list of a user's sessions shows it."""
        return self.request.headers.get("User-Agent", "")

    def log_in(self, login: Login) -> None:
        """Set the session cookie and the device cookie; redirect with 303 to the field `next`."""
        self.set_private_cookie("session", login.token)
        device = f"{secrets.token_hex(8)}:{names.canonical_key(login.user.name)}"
        self.set_private_cookie(cookies.DEVICE, device)
        self.redirect(self.target, status=303)


class RegisterHandler(FormHandler):
    """Registration of a user."""

    form_name = "register"
    repopulated_fields = ("name", "nickname")

    async def post(self) -> None:
        """POST /register: create the account and log in.

        Responds with 303 to `next`, or with the form and 400 if a field or the captcha is invalid
        or the user name is taken.
        """
        name = names.normalize(self.field("name"))
        nickname = names.normalize(self.field("nickname")) or name
        password = self.field("password", strip=False)
        problems = {
            "name": names.find_username_problem(name),
            "nickname": names.find_nickname_problem(nickname),
            "password": passwords.find_problem(password, name, nickname),
            "confirmation": None
            if password == self.field("confirmation", strip=False)
            else passwords.DIFFERENT,
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
        return await self.render_form(errors)


class LoginHandler(FormHandler):
    """Login with user name and password.

    The response does not reveal whether an account exists: an unknown user name and a wrong
    password get the same message after the same time (OWASP Authentication Cheat Sheet).
    """

    form_name = "login"
    repopulated_fields = ("name",)

    @property
    def notice(self) -> str:
        """The translated sentence about the `reason` in the address, "" without one."""
        text = NOTICES.get(self.get_query_argument("reason", ""))
        return self.locale.translate(text) if text else ""

    async def post(self) -> None:
        """POST /login: check the captcha, the login throttle and the password.

        Responds with 303 to `next`, or with the form and 400.
        """
        translate = self.locale.translate
        if await self.needs_captcha() and not await self.captcha_is_valid():
            problem = WRONG_CAPTCHA if self.field("captcha_id") else MISSING_CAPTCHA
            return await self.render_form({"captcha": translate(problem)})
        name, password = self.field("name"), self.field("password", strip=False)
        keys = self.throttle_keys(name)
        if await self.chat.login_throttle.reserve_attempt(*keys) > 0:
            return await self.render_form({"form": translate(TOO_MANY_TRIES)})
        login = await self.chat.accounts.log_in(name, password, self.user_agent)
        if login is None:
            return await self.render_form({"form": translate(WRONG_LOGIN)})
        await self.chat.login_throttle.record_success(*keys)
        return self.log_in(login)

    async def needs_captcha(self) -> bool:
        """Return whether the form has a captcha: always, or see the option `login_captcha`.

        With `needed` it has none while the name is that of the device cookie and no failure of this
        browser is counted. An empty form is for the user of the device cookie.
        """
        device_id, owner = self.device()
        account = names.canonical_key(self.field("name")) or owner
        if self.chat.options.login_captcha == "always" or not owner or account != owner:
            return True
        keys = login_throttle.known_browser_keys(account[:MAX_KEY_NAME_LENGTH], device_id)
        return await self.chat.login_throttle.has_failures(*keys)

    def device(self) -> tuple[str, str]:
        """Return the id of the device cookie and the name key of its user; "" without a cookie."""
        device_id, _, owner = (self.private_cookie(cookies.DEVICE) or "").partition(":")
        return device_id, owner

    def throttle_keys(self, name: str) -> list[str]:
        """Return the keys under which the login throttle counts this attempt.

        The attempts of a browser with a device cookie of the account are counted separately. So
        strangers who send wrong passwords on purpose do not lock the user out (OWASP device
        cookies).
        """
        account = names.canonical_key(name)[:MAX_KEY_NAME_LENGTH]
        device_id, owner = self.device()
        if owner == names.canonical_key(name):
            return login_throttle.known_browser_keys(account, device_id)
        return login_throttle.new_browser_keys(account, self.network)


class LogoutHandler(BaseHandler):
    """Logout. The session is revoked on the server, so copies of its cookie are invalid as well."""

    async def post(self) -> None:
        """POST /logout: revoke the session and close its connections; 303 to `/login`."""
        if self.session is not None:
            await self.chat.sessions.revoke(self.session, self.session.id)
        self.clear_private_cookie("session")
        self.redirect(self.reverse_url("login"), status=303)


class NameAvailabilityHandler(JsonHandler):
    """Check of a user name while it is typed into the registration form."""

    async def get(self) -> None:
        """GET /api/names: respond with `available` and, if it is false, the reason as `problem`."""
        self.enforce_rate_limit(self.network)
        name = names.normalize(self.get_query_argument("name", ""))
        problem = names.find_username_problem(name)
        if problem is None and await self.chat.accounts.is_taken(name):
            problem = TAKEN
        text = self.locale.translate(problem) if problem else None
        self.finish({"available": problem is None, "problem": text})


class CaptchaHandler(JsonHandler):
    """Creation of a captcha, for a form that is shown already."""

    async def post(self, form: str) -> None:
        """POST /captcha/FORM: respond with the new `captcha_id`; 404 for an unknown form."""
        self.enforce_rate_limit(self.network)
        if form not in FORMS:
            raise ApiError(404, "not_found", "There is no such form.")
        self.finish({"captcha_id": await self.chat.captchas.create(form, self.browser_id())})


class CaptchaMediaHandler(BaseHandler):
    """Image or audio of a captcha."""

    async def get(self, challenge: str, kind: str) -> None:
        """GET /captcha/ID.png or .wav: respond with the file.

        The status is 404 if the captcha was verified, has expired, or belongs to another browser.
        """
        self.enforce_rate_limit(self.network)
        captchas = self.chat.captchas
        read, content_type = {
            "png": (captchas.image, "image/png"),
            "wav": (captchas.audio, "audio/wav"),
        }[kind]
        data = await read(challenge, self.browser_id())
        if data is None:
            raise ApiError(
                404, "not_found", "This picture cannot be used any more. Load another one."
            )
        self.set_header("Content-Type", content_type)
        self.finish(data)
