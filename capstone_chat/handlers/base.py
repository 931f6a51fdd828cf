"""What all handlers share: who is asking, safe headers, and errors that say what to do."""

import functools
import json
import logging
import secrets
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from types import TracebackType
from typing import Any, TypeVar
from urllib.parse import urlencode

import tornado.locale
import tornado.web

from capstone_chat import engines
from capstone_chat.accounts import User
from capstone_chat.chat import Chat
from capstone_chat.handlers import scripts
from capstone_chat.membership import NotFound, Refused
from capstone_chat.sessions import Session

log = logging.getLogger(__name__)

T = TypeVar("T")

DAY = 86_400


class ApiError(tornado.web.HTTPError):
    """An answer to a program: a status, a stable code, a text for people, perhaps a field."""

    def __init__(self, status: int, code: str, message: str, field: str | None = None) -> None:
        super().__init__(status)
        self.body = {"code": code, "message": message} | ({"field": field} if field else {})


class BaseHandler(tornado.web.RequestHandler):
    """A page or form. `session` is the visitor's, or None; `current_user` is its user."""

    session: Session | None = None

    @property
    def chat(self) -> Chat:
        """The parts of this chat."""
        chat: Chat = self.settings["chat"]
        return chat

    @property
    def user(self) -> User:
        """The user, where one is sure to be logged in."""
        user: User = self.current_user
        return user

    def set_default_headers(self) -> None:
        """Tell browsers to be strict (OWASP HTTP Headers Cheat Sheet)."""
        self.set_header("Content-Security-Policy", scripts.policy(self.settings["static_path"]))
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Referrer-Policy", "same-origin")
        self.set_header("Cross-Origin-Opener-Policy", "same-origin")
        self.set_header("Cache-Control", "no-store")
        if self.chat.options.secure:
            self.set_header("Strict-Transport-Security", f"max-age={365 * DAY}")
        self.clear_header("Server")

    async def prepare(self) -> None:
        """Find out who is asking, from the cookie and the database."""
        self.chat.underway.begin(self)
        if self.chat.hub.closed:  # nothing more is to come over this connection
            self.set_header("Connection", "close")
        token = self.get_signed_cookie(self.cookie_name("session"), max_age_days=366)
        if token is not None:
            self.session = await self.chat.sessions.find(token.decode())
        self.current_user = self.session.user if self.session else None

    def on_finish(self) -> None:
        """Note that the answer is out; a socket's is out with its handshake."""
        self.chat.underway.end(self)

    def get_template_namespace(self) -> dict[str, Any]:
        """Add what every page needs: the token that its script sends with each call, the theme,
        and where the scripts are."""
        theme = self.current_user.theme if self.current_user else ""
        return super().get_template_namespace() | {
            "xsrf_token": self.xsrf_token,
            "theme": theme,
            "import_map": scripts.import_map(self.settings["static_path"]),
            "modules": scripts.modules(self.settings["static_path"]),
        }

    def get_user_locale(self) -> tornado.locale.Locale | None:
        """Return the language that the user has chosen; None leaves it to the browser."""
        language = self.current_user.language if self.current_user else ""
        return tornado.locale.get(language) if language else None

    def cookie_name(self, name: str) -> str:
        """Return a cookie's name; behind TLS the browser then holds it to this host alone."""
        return f"__Host-{name}" if self.chat.options.secure else name

    def set_private_cookie(self, name: str, value: str, days: float | None = None) -> None:
        """Set a signed cookie that no script can read and no other site can send with a form."""
        self.set_signed_cookie(
            self.cookie_name(name),
            value,
            expires_days=days,
            httponly=True,
            samesite="Lax",
            secure=self.chat.options.secure,
        )

    def browser(self) -> str:
        """Return an id of this browser, made when it has none; captchas are bound to it."""
        known = self.get_signed_cookie(self.cookie_name("browser"), max_age_days=366)
        if known is not None:
            return known.decode()
        fresh = secrets.token_urlsafe(16)
        self.set_private_cookie("browser", fresh)
        return fresh

    def require_patience(self, key: object) -> None:
        """Refuse with 429 when `key` (an address, a user) has asked too often."""
        if not self.chat.requests.take(key):
            raise ApiError(429, "rate_limited", "That was too often. Wait a moment and try again.")

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Answer with an error; never with a traceback."""
        error = kwargs.get("exc_info", (None, None))[1]
        if isinstance(error, engines.Unreachable):
            error = ApiError(503, "unavailable", "The server is not well. Try again.")
            status_code = error.status_code
            self.set_status(status_code)
        if status_code in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE):
            self.set_header("Retry-After", "5")
        self.show_error(HTTPStatus(status_code), error if isinstance(error, ApiError) else None)

    def log_exception(
        self,
        typ: type[BaseException] | None,
        value: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        """Log a mistake of the chat; what a visitor did wrong is in the line of the request.

        Tornado's own line holds the query, and that what somebody searched for.
        """
        if isinstance(value, engines.Unreachable):
            log.error("the database is in trouble: %s", value)
        elif not isinstance(value, tornado.web.HTTPError):
            log.error("a handler failed", exc_info=(typ, value, tb))  # type: ignore[arg-type]

    def show_error(self, status: HTTPStatus, error: ApiError | None) -> None:
        """Show an error as a page."""
        message = self.locale.translate(error.body["message"]) if error else ""
        reason = self.locale.translate(status.phrase)
        self.render("error.html", status=status.value, reason=reason, message=message)


class JsonHandler(BaseHandler):
    """A request from a page's script, whose errors are JSON."""

    def show_error(self, status: HTTPStatus, error: ApiError | None) -> None:
        """Answer with an error as JSON."""
        code = status.phrase.lower().replace(" ", "_")
        body = dict(error.body) if error else {"code": code, "message": status.phrase}
        self.finish({"error": body | {"message": self.locale.translate(body["message"])}})


class ApiHandler(JsonHandler):
    """A request from the page's script: JSON in, JSON out, a logged-in user."""

    async def prepare(self) -> None:
        """Refuse whoever is not logged in."""
        await super().prepare()
        if self.current_user is None:
            raise ApiError(401, "session_ended", "Log in again.")

    async def ask(self, work: Awaitable[T]) -> T:
        """Await something of the domain; what it refuses is the answer, 404 or 403."""
        try:
            return await work
        except NotFound:
            raise ApiError(404, "not_found", "There is no such thing here.") from None
        except Refused as refused:
            raise ApiError(403, refused.code, refused.message) from None

    def body(self) -> dict[str, Any]:
        """Return the request's JSON object.

        Raises:
            ApiError: 415 when it does not say that it is JSON, 400 when it is none.
        """
        kind = self.request.headers.get("Content-Type", "").partition(";")[0].strip()
        if kind != "application/json":
            raise ApiError(415, "not_json", "Send JSON, as application/json.")
        try:
            body = json.loads(self.request.body)
        except (ValueError, RecursionError):
            raise ApiError(400, "bad_json", "The body is not JSON.") from None
        if not isinstance(body, dict):
            raise ApiError(400, "bad_json", "The body must be a JSON object.")
        return body

    def text(self, body: dict[str, Any], name: str) -> str:
        """Return a text of the body, empty when it is absent; 400 when it is not text."""
        value = body.get(name, "")
        if not isinstance(value, str):
            raise ApiError(400, "bad_field", "This must be text.", name)
        return value

    def flag(self, body: dict[str, Any], name: str, *, default: bool | None = None) -> bool:
        """Return a yes or no of the body; 400 when it is absent without a default."""
        value = body.get(name, default)
        if not isinstance(value, bool):
            raise ApiError(400, "bad_field", "This must be true or false.", name)
        return value

    async def contacts(self) -> list[dict[str, Any]]:
        """Return the user's contacts, with who is connected of those whose presence is shown."""
        visible = await self.chat.contacts.visible(self.user)
        return [
            contact
            | {"online": contact["id"] in visible and self.chat.hub.is_online(contact["id"])}
            for contact in await self.chat.contacts.of(self.user)
        ]

    def whole(self, name: str, *, default: int | None = None) -> int | None:
        """Return a whole number from the query; 400 when it is something else."""
        value = self.get_query_argument(name, None)
        if value is None:
            return default
        if not (value.isascii() and value.isdecimal() and len(value) <= 16):
            raise ApiError(400, "bad_field", "This must be a whole number.", name)
        return int(value)


class NotFoundHandler(BaseHandler):
    """Every address that is no page."""

    async def prepare(self) -> None:
        """Answer 404 to whatever was asked."""
        raise tornado.web.HTTPError(404)


class StaticFileHandler(tornado.web.StaticFileHandler):
    """The page's own files, with the same strict headers."""

    def set_default_headers(self) -> None:
        """Do not let a browser guess what a file is, nor how long it may be kept.

        What is asked for without a version is asked for again each time (304 when unchanged), or
        else old and new files would meet after an upgrade; what has one may be kept for ever.
        """
        self.set_header("X-Content-Type-Options", "nosniff")
        if "v" not in self.request.arguments:
            self.set_header("Cache-Control", "no-cache")
        self.clear_header("Server")

    def set_extra_headers(self, path: str) -> None:
        """Let a browser not ask again, even when the page is loaded anew."""
        if "v" in self.request.arguments:
            self.set_header("Cache-Control", f"max-age={self.CACHE_MAX_AGE}, immutable")


Method = Callable[..., Awaitable[None]]


def logged_in(method: Method) -> Method:
    """Send whoever is not logged in to the login page, and back here afterwards."""

    @functools.wraps(method)
    async def wrapped(self: BaseHandler, *arguments: str) -> None:
        if self.current_user is None:
            self.redirect(
                self.reverse_url("login") + "?" + urlencode({"next": self.request.uri or "/"})
            )
            return
        await method(self, *arguments)

    return wrapped
