"""What all handlers share: who is asking, safe headers, and errors that say what to do."""

import functools
import json
import logging
import re
import secrets
import sys
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, TypeVar
from urllib.parse import urlencode

import tornado.httputil
import tornado.locale
import tornado.web

from capstone_chat import rate_limiter
from capstone_chat.accounts.sessions import Session
from capstone_chat.conversations.contacts import Contact
from capstone_chat.conversations.errors import NotAllowed, NotFound, SessionEnded
from capstone_chat.conversations.users import User
from capstone_chat.handlers import assets, cookies, languages
from capstone_chat.realtime import protocol
from capstone_chat.services import Services
from capstone_chat.storage import engines

log = logging.getLogger(__name__)

T = TypeVar("T")

SECONDS_PER_DAY = 86_400

MAX_TEXT_BYTES = 2048
"""Bytes in one text of a query, a form or a JSON object. Longer ones are refused before anything
else reads them: Unicode normalization, for one, takes quadratic time on a run of combining marks
(UAX 15), and holds the interpreter. The longest text that is stored has 300 characters."""

MAX_JSON_BYTES = 16 * 1024
"""Bytes in a JSON body: all texts of the largest call, at their longest, fit in."""

CONTROL_CHARACTERS = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f]")
"""Control characters other than white space. No keyboard types them. Tornado replaces them in forms
and queries by spaces, so a password that was set by JSON would not be the same in a form."""

DEVICE_COOKIE_DAYS = 365
"""Days for which a browser keeps its device cookie."""

SIGNATURE_DAYS = DEVICE_COOKIE_DAYS + 1
"""Days after which no signed cookie is accepted any more."""
MAX_BODY_BYTES = 64 * 1024
"""Bytes of a request's body, but for pictures."""


REASON_PHRASES = {
    413: "Content Too Large",
    414: "URI Too Long",
    416: "Range Not Satisfiable",
    422: "Unprocessable Content",
}
"""The phrases of RFC 9110 that Python has only from 3.13 on."""


def reason_phrase(status: HTTPStatus) -> str:
    """Return the phrase of a status, the same on every version of Python: translations need it."""
    return REASON_PHRASES.get(status, status.phrase)


class ApiError(tornado.web.HTTPError):
    """An answer to a program: a status, a stable code, a text for people, perhaps a field."""

    def __init__(self, status: int, code: str, message: str, field: str | None = None) -> None:
        super().__init__(status)
        self.body = {"code": code, "message": message} | ({"field": field} if field else {})


TOO_LONG = "This text is too long."


def require_valid_text(value: str, name: str | None) -> str:
    """Return a text that came from outside, unchanged.

    Args:
        name: of the field, for the error.

    Raises:
        ApiError: 400 when it is too long, or holds control characters or half of a surrogate pair.
    """
    if len(value) > MAX_TEXT_BYTES:
        raise ApiError(400, "too_long", TOO_LONG, name)
    try:
        size = len(value.encode())
    except UnicodeEncodeError:  # half of a surrogate pair, which JSON can hold
        raise ApiError(400, "bad_field", "This must be text.", name) from None
    if size > MAX_TEXT_BYTES:
        raise ApiError(400, "too_long", TOO_LONG, name)
    if CONTROL_CHARACTERS.search(value):
        raise ApiError(400, "bad_field", "There are characters in it that cannot be seen.", name)
    return value


def session_ended() -> ApiError:
    """Return the answer to a request whose session or account has ended."""
    return ApiError(401, "session_ended", "Log in again.")


class BaseHandler(tornado.web.RequestHandler):
    """A page or form. `session` is the visitor's, or None; `current_user` is its user."""

    streams_body: ClassVar[bool] = False
    """Whether this handler reads the body while it arrives, and limits its size itself."""

    session: Session | None = None
    session_token: str | None = None
    """The secret id of the session, as the cookie has it."""

    @property
    def chat(self) -> Services:
        """The parts of this chat."""
        chat: Services = self.settings["chat"]
        return chat

    @property
    def user(self) -> User:
        """The user, where one is sure to be logged in."""
        user: User = self.current_user
        return user

    def set_default_headers(self) -> None:
        """Tell browsers to be strict (OWASP HTTP Headers Cheat Sheet)."""
        self.set_header(
            "Content-Security-Policy", assets.content_security_policy(self.settings["static_path"])
        )
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Referrer-Policy", "same-origin")
        self.set_header("Cross-Origin-Opener-Policy", "same-origin")
        self.set_header("Cache-Control", "no-store")
        if self.chat.options.secure:
            self.set_header("Strict-Transport-Security", f"max-age={365 * SECONDS_PER_DAY}")
        self.clear_header("Server")

    async def prepare(self) -> None:
        """Find out who is asking, from the cookie and the database."""
        self.chat.active_requests.add(self)
        if self.chat.hub.is_shut_down:  # nothing more is to come over this connection
            self.set_header("Connection", "close")
        self.session_token = self.private_cookie("session")
        if self.session_token is not None:
            self.session = await self.chat.sessions.get(self.session_token)
        self.current_user = self.session.user if self.session else None

    def require_own_origin(self) -> None:
        """Refuse with 403 a request that the page of another origin has caused.

        Tornado compares host and port. The scheme is a part of the origin, too (RFC 6454, 4): with
        `--secure` it is https, otherwise the connection's, or with `--xheaders` the proxy's.
        A request without an Origin passes, and one from an origin of `--allowed-origins`.
        """
        origin = self.request.headers.get("Origin")
        if origin is None or self.check_trusted_origin(origin):
            return
        scheme = "https" if self.chat.options.secure else self.request.protocol
        if origin.lower() != f"{scheme}://{self.request.host}".lower():
            raise tornado.web.HTTPError(403)

    def on_finish(self) -> None:
        """Note that the answer is out; a socket's is out with its handshake."""
        self.chat.active_requests.remove(self)

    def get_template_namespace(self) -> dict[str, Any]:
        """Add what every page needs: the token that its script sends with each call, the theme,
        and where the scripts are."""
        theme = self.current_user.theme if self.current_user else ""
        return super().get_template_namespace() | {
            "xsrf_token": self.xsrf_token,
            "theme": theme,
            "import_map": assets.import_map(self.settings["static_path"]),
            "modules": assets.versioned_modules(self.settings["static_path"]),
        }

    def get_user_locale(self) -> tornado.locale.Locale | None:
        """Return the language that the user has chosen; None leaves it to the browser."""
        language = self.current_user.language if self.current_user else ""
        return tornado.locale.get(language) if language else None

    def get_browser_locale(self, default: str = "en") -> tornado.locale.Locale:
        """Return the language that the browser prefers of those that the chat has (RFC 4647)."""
        preferred = self.request.headers.get("Accept-Language", "")
        return tornado.locale.get(languages.match_language(preferred, default))

    def cookie_name(self, name: str) -> str:
        """Return the name under which this chat sets a cookie, see `cookies`."""
        secret = self.settings["cookie_secret"]
        return cookies.cookie_name(name, secret, secure=self.chat.options.secure)

    def set_private_cookie(self, name: str, value: str) -> None:
        """Set a signed cookie that no script can read and no other site can send with a form."""
        days = {
            "session": self.chat.options.session_lifetime / SECONDS_PER_DAY,
            cookies.DEVICE: DEVICE_COOKIE_DAYS,
        }
        self.set_signed_cookie(
            self.cookie_name(name),
            value,
            expires_days=days.get(name),
            httponly=True,
            samesite="Lax",
            secure=self.chat.options.secure,
        )

    def decode_argument(self, value: bytes, name: str | None = None) -> str:
        """Return an argument of the address, the query or a form as text.

        Raises:
            ApiError: 400 when it is too long, not UTF-8, or holds control characters.
        """
        if len(value) > MAX_TEXT_BYTES:
            raise ApiError(400, "too_long", TOO_LONG, name)
        return require_valid_text(super().decode_argument(value, name), name)

    def private_cookie(self, name: str) -> str | None:
        """Return the value of a signed cookie, or None without a valid one.

        A cookie that an earlier version of this chat has set is replaced by one of today's name.
        """
        value = self.get_signed_cookie(self.cookie_name(name), max_age_days=SIGNATURE_DAYS)
        if value is not None:
            return value.decode()
        old = self.old_private_cookie(name)
        if old is not None:
            self.set_private_cookie(name, old)
            self.clear_old_private_cookie(name)
        return old

    def old_private_cookie(self, name: str) -> str | None:
        """Return the value of a signed cookie of an earlier version of this chat.

        The signature of another chat on this host does not fit, and its cookie is left alone.
        """
        old_name = cookies.old_cookie_name(name, secure=self.chat.options.secure)
        value = self.get_signed_cookie(old_name, max_age_days=SIGNATURE_DAYS)
        return None if value is None else value.decode()

    def clear_private_cookie(self, name: str) -> None:
        """Remove a signed cookie from the browser, also under the name of earlier versions."""
        self.clear_cookie(self.cookie_name(name), secure=self.chat.options.secure)
        if self.old_private_cookie(name) is not None:
            self.clear_old_private_cookie(name)

    def clear_old_private_cookie(self, name: str) -> None:
        """Remove a signed cookie of an earlier version from the browser."""
        secure = self.chat.options.secure
        self.clear_cookie(cookies.old_cookie_name(name, secure=secure), secure=secure)

    def check_xsrf_cookie(self) -> None:
        """Require the chat's own origin and the token; Tornado calls this for unsafe methods.

        The token of a page that an earlier version has sent is accepted with its XSRF cookie.
        """
        self.require_own_origin()
        name = self.cookie_name("xsrf")
        old = self.get_cookie(cookies.old_cookie_name("xsrf", secure=self.chat.options.secure))
        if name not in self.cookies and old is not None:
            self.cookies[name] = old  # type: ignore[assignment]  # it becomes a Morsel
        super().check_xsrf_cookie()

    def browser_id(self) -> str:
        """Return an id of this browser, made when it has none; captchas are bound to it."""
        known = self.private_cookie("browser")
        if known is not None:
            return known
        fresh = secrets.token_urlsafe(16)
        self.set_private_cookie("browser", fresh)
        return fresh

    @property
    def network(self) -> str:
        """The network that the request comes from, see `rate_limiter.network`."""
        return rate_limiter.network_key(self.request.remote_ip or "")

    def enforce_rate_limit(self, key: object) -> None:
        """Refuse with 429 when `key` (an address, a user) has asked too often."""
        if not self.chat.request_limiter.acquire(key):
            raise ApiError(429, "rate_limited", "That was too often. Wait a moment and try again.")

    def enforce_read_limit(self, tokens: float = 1) -> None:
        """Refuse with 429 a read of a user who has read too much."""
        if not self.chat.read_limiter.acquire(self.user.id, tokens):
            raise ApiError(429, "rate_limited", "That was too often. Wait a moment and try again.")

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Answer with an error; never with a traceback."""
        error = kwargs.get("exc_info", (None, None))[1]
        if isinstance(error, engines.DATABASE_ERRORS):
            error = ApiError(503, "unavailable", "The server is not well. Try again.")
        elif isinstance(error, SessionEnded):
            error = session_ended()
        if isinstance(error, ApiError):
            status_code = error.status_code
            self.set_status(status_code)
        if status_code in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE):
            self.set_header("Retry-After", "5")
        self.render_error(HTTPStatus(status_code), error if isinstance(error, ApiError) else None)

    def log_exception(
        self,
        typ: type[BaseException] | None,
        value: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        """Log a mistake of the chat; what a visitor did wrong is in the line of the request.

        Tornado's own line holds the query, and that what somebody searched for.
        """
        if isinstance(value, engines.DATABASE_ERRORS):
            log.error("the database is in trouble: %s", value)
        elif not isinstance(value, tornado.web.HTTPError | SessionEnded):
            log.error("a handler failed", exc_info=(typ, value, tb))  # type: ignore[arg-type]

    def render_error(self, status: HTTPStatus, error: ApiError | None) -> None:
        """Show an error as a page."""
        message = self.locale.translate(error.body["message"]) if error else ""
        reason = self.locale.translate(reason_phrase(status))
        self.render("error.html", status=status.value, reason=reason, message=message)


class JsonHandler(BaseHandler):
    """A request from a page's script, whose errors are JSON."""

    def render_error(self, status: HTTPStatus, error: ApiError | None) -> None:
        """Answer with an error as JSON."""
        text = reason_phrase(status)
        code = text.lower().replace(" ", "_")
        body = dict(error.body) if error else {"code": code, "message": text}
        self.finish({"error": body | {"message": self.locale.translate(body["message"])}})


class ApiHandler(JsonHandler):
    """A request from the page's script: JSON in, JSON out, a logged-in user.

    Every GET takes tokens of the user's `read_limiter`, and few of one user run at once.
    """

    read_tokens = 1.0
    """Tokens that a GET takes."""
    reading_user_id: int | None = None
    """The id of the user, while the request occupies one of that user's reads in flight."""

    async def prepare(self) -> None:
        """Refuse requests without a session, and reads above the user's limit."""
        await super().prepare()
        if self.current_user is None:
            raise session_ended()
        if self.request.method == "GET":
            self.enforce_read_limit(self.read_tokens)
            await self.chat.read_slots.acquire(self.user.id)
            self.reading_user_id = self.user.id

    def on_finish(self) -> None:
        """Free the place of a read, for the user's next one."""
        if self.reading_user_id is not None:
            self.chat.read_slots.release(self.reading_user_id)
            self.reading_user_id = None
        super().on_finish()

    @property
    def open_session(self) -> Session:
        """The session of the request, open when the request began."""
        assert self.session is not None
        return self.session

    async def call_domain(self, operation: Awaitable[T]) -> T:
        """Await something of the domain; what it refuses is the answer, 404 or 403."""
        try:
            return await operation
        except NotFound:
            raise ApiError(404, "not_found", "There is no such thing here.") from None
        except NotAllowed as refused:
            raise ApiError(403, refused.code, refused.message) from None

    def json_body(self) -> dict[str, Any]:
        """Return the request's JSON object.

        Raises:
            ApiError: 415 when it does not say that it is JSON, 413 when it is too large, 400 when
                it is none.
        """
        if len(self.request.body) > MAX_JSON_BYTES:
            raise ApiError(413, "too_large", "This is too much at once.")
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

    def str_field(self, body: dict[str, Any], name: str) -> str:
        """Return a text of the body, empty when it is absent; 400 as `require_valid_text` says."""
        value = body.get(name, "")
        if not isinstance(value, str):
            raise ApiError(400, "bad_field", "This must be text.", name)
        return require_valid_text(value, name)

    def id_field(self, body: dict[str, Any], name: str) -> int:
        """Return an id of the body; 400 when it is absent or no whole number below 2**53."""
        value = body.get(name)
        if type(value) is not int or not 0 <= value <= protocol.MAX_SAFE_INTEGER:
            raise ApiError(400, "bad_field", "This must be a whole number.", name)
        return value

    def bool_field(self, body: dict[str, Any], name: str, *, default: bool | None = None) -> bool:
        """Return a yes or no of the body; 400 when it is absent without a default."""
        value = body.get(name, default)
        if not isinstance(value, bool):
            raise ApiError(400, "bad_field", "This must be true or false.", name)
        return value

    async def contacts_with_presence(
        self, after: int | None = None
    ) -> tuple[list[dict[str, Any]], int | None]:
        """Return a page of the user's contacts as JSON, and the cursor of the next page."""
        found, cursor = await self.chat.contacts.list_for(self.user, after=after)
        return [self.contact_with_presence(one) for one in found], cursor

    def contact_with_presence(self, contact: Contact) -> dict[str, Any]:
        """Return a contact as JSON, online if connected and visible to the user."""
        online = contact.presence_visible and self.chat.hub.is_online(contact.user.id)
        return contact.to_dict() | {"online": online}

    def int_query(self, name: str, *, default: int | None = None) -> int | None:
        """Return a whole number from the query; 400 when it is something else."""
        value = self.get_query_argument(name, None)
        if value is None:
            return default
        if not (value.isascii() and value.isdecimal() and len(value) <= 16):
            raise ApiError(400, "bad_field", "This must be a whole number.", name)
        return int(value)


@tornado.web.stream_request_body
class TooLargeHandler(JsonHandler):
    """Answers 413 to a request as soon as its head announces too large a body."""

    def set_default_headers(self) -> None:
        """Add the header that announces the end of the connection: the body is not read."""
        super().set_default_headers()
        self.set_header("Connection", "close")

    def check_xsrf_cookie(self) -> None:
        """Check nothing: the token may be in the body."""

    async def prepare(self) -> None:
        """Answer 413. Without a limit of its own, Tornado would write a 400 after it."""
        self.request.connection.set_max_body_size(sys.maxsize)  # type: ignore[union-attr]
        raise ApiError(413, "too_large", "That is too large.")

    def data_received(self, chunk: bytes) -> None:
        """Ignore the part of the body that arrives before the connection is closed."""


class Application(tornado.web.Application):
    """Routes requests, and limits their bodies before anything of them is read."""

    def get_handler_delegate(
        self,
        request: tornado.httputil.HTTPServerRequest,
        target_class: type[tornado.web.RequestHandler],
        target_kwargs: dict[str, Any] | None = None,
        path_args: list[bytes] | None = None,
        path_kwargs: dict[str, bytes] | None = None,
    ) -> Any:
        """Return the delegate that reads a request; Tornado calls this after the head."""
        streams = getattr(target_class, "streams_body", False)
        if content_length(request) > MAX_BODY_BYTES and not streams:
            target_class, target_kwargs, path_args, path_kwargs = TooLargeHandler, None, None, None
        return super().get_handler_delegate(
            request, target_class, target_kwargs, path_args, path_kwargs
        )


def content_length(request: tornado.httputil.HTTPServerRequest) -> int:
    """Return the length that a request announces for its body, in bytes.

    It is 0 without the header and for a value that is no number, to which Tornado answers 400.
    """
    value = request.headers.get("Content-Length", "")
    return int(value[:20]) if value.isascii() and value.isdecimal() else 0


class NotFoundHandler(BaseHandler):
    """Every address that is no page."""

    async def prepare(self) -> None:
        """Answer 404 to whatever was asked."""
        raise tornado.web.HTTPError(404)


CONTENT_TYPES = {
    ".css": "text/css",
    ".js": "text/javascript",
    ".json": "application/json",
    ".svg": "image/svg+xml",
}
"""Media types of the page's own files. Tornado would ask the system, where other programs can
change them (in the registry of Windows, for one); no browser runs a module of type text/plain."""


class StaticFileHandler(tornado.web.StaticFileHandler):
    """The page's own files, with the same strict headers."""

    log_exception = BaseHandler.log_exception

    def validate_absolute_path(self, root: str, absolute_path: str) -> str | None:
        """Return the path of the file; 404 when no file can have such a path, as one with a NUL."""
        if self.path.endswith("/"):  # abspath has removed it
            raise tornado.web.HTTPError(404)
        try:
            return super().validate_absolute_path(root, absolute_path)
        except (ValueError, OSError):
            raise tornado.web.HTTPError(404) from None

    @classmethod
    def get_absolute_path(cls, root: str, path: str) -> str:
        """Return the path below the folder; some versions of abspath end it at a NUL."""
        if "\0" in path:
            raise tornado.web.HTTPError(404)
        return super().get_absolute_path(root, path)

    def set_default_headers(self) -> None:
        """Do not let a browser guess what a file is, nor how long it may be kept.

        What is asked for without a version is asked for again each time (304 when unchanged), or
        else old and new files would meet after an upgrade; what has one may be kept for ever.
        """
        self.set_header("X-Content-Type-Options", "nosniff")
        if "v" not in self.request.arguments:
            self.set_header("Cache-Control", "no-cache")
        self.clear_header("Server")

    def get_content_type(self) -> str:
        """Return the media type of the file, whatever the system says about its suffix."""
        assert self.absolute_path is not None
        suffix = Path(self.absolute_path).suffix
        return CONTENT_TYPES.get(suffix, "application/octet-stream")

    @classmethod
    def get_content(  # type: ignore[override]  # Tornado takes both
        cls, abspath: str, start: int | None = None, end: int | None = None
    ) -> bytes:
        """Return a file as a whole: it is not kept open while a slow client takes the answer."""
        return b"".join(super().get_content(abspath, start, end))

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
