"""Base classes of the handlers, the application, and the handler of static files.

The base classes find the session, set the security headers, check the origin and the XSRF token,
enforce rate limits, validate input, and turn exceptions into error responses. They contain nothing
of a single part of the chat.
"""

import json
import logging
import re
import secrets
import sys
from http import HTTPStatus
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar

import tornado.httputil
import tornado.locale
import tornado.web

from capstone_chat import rate_limiter
from capstone_chat.accounts.sessions import Session
from capstone_chat.conversations.contacts import Contact
from capstone_chat.conversations.errors import Refusal, SessionEnded
from capstone_chat.conversations.users import User
from capstone_chat.handlers import assets, cookies, errors, languages
from capstone_chat.handlers.errors import ApiError, reason_phrase
from capstone_chat.realtime import protocol
from capstone_chat.services import Services
from capstone_chat.storage import engines
from capstone_chat.text.names import INVISIBLE_CHARACTERS

log = logging.getLogger(__name__)

SECONDS_PER_DAY = 86_400

MAX_TEXT_BYTES = 2048
"""Maximum number of bytes in one text of a query, a form or a JSON object.

Longer texts are refused before any other code processes them. For example, Unicode normalization
takes quadratic time on a sequence of combining marks (UAX 15) and blocks the event loop. The
longest text that a request stores has 300 characters; messages are sent over the WebSocket.
"""

MAX_JSON_BYTES = 16 * 1024
"""Maximum number of bytes in a JSON body. The largest call with texts of maximum length fits."""

CONTROL_CHARACTERS = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f]")
"""Matches a control character other than white space.

Keyboards do not produce these characters. Tornado replaces them by spaces in forms and queries, but
not in JSON: a password with such a character, set by JSON, would not match in the login form.
"""

DEVICE_COOKIE_DAYS = 365
"""Lifetime of a device cookie in days."""

SIGNATURE_DAYS = DEVICE_COOKIE_DAYS + 1
"""Maximum age of a signed cookie in days; older ones are not accepted."""

MAX_BODY_BYTES = 64 * 1024
"""Maximum number of bytes in the body of a request, except for the upload of a picture."""


def require_valid_text(value: str, name: str | None) -> str:
    """Return a text of a request unchanged if it is valid.

    Args:
        value: the text.
        name: the name of the field or argument, for the error; None if it has no name.

    Raises:
        ApiError: 400 if the text is longer than MAX_TEXT_BYTES in UTF-8, or contains a control
            character or half of a surrogate pair.
    """
    if len(value) > MAX_TEXT_BYTES:
        raise errors.too_long(name)
    try:
        size = len(value.encode())
    except UnicodeEncodeError:  # half of a surrogate pair, such as "\\ud83d" in JSON
        raise errors.not_text(name) from None
    if size > MAX_TEXT_BYTES:
        raise errors.too_long(name)
    if CONTROL_CHARACTERS.search(value):
        raise ApiError(400, "bad_field", INVISIBLE_CHARACTERS, name)
    return value


class BaseHandler(tornado.web.RequestHandler):
    """Base of all handlers; errors are HTML pages.

    `prepare` sets `session` from the cookie, and `current_user` to the user of the session. Both
    are None without a valid session.
    """

    streams_body: ClassVar[bool] = False
    """Whether the handler receives the body in chunks and limits its size itself."""

    session: Session | None = None
    """The session of the request, or None."""

    session_token: str | None = None
    """The secret id of the session, from the cookie; the session may be invalid."""

    def __init__(
        self,
        application: tornado.web.Application,
        request: tornado.httputil.HTTPServerRequest,
        **kwargs: Any,
    ) -> None:
        self.chat: Services = application.settings["chat"]
        """The services of this chat."""
        super().__init__(application, request, **kwargs)

    @property
    def user(self) -> User:
        """The user who is logged in. Only for handlers that require a session."""
        user: User = self.current_user
        return user

    def set_default_headers(self) -> None:
        """Set the security headers (OWASP HTTP Headers Cheat Sheet)."""
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

    async def head(self, *arguments: str) -> None:
        """HEAD: respond as GET does, without the body (RFC 9110, section 9.3.2).

        Tornado writes no body in the response to HEAD, and its Content-Length is that of GET.
        """
        answered = self.get(*arguments)
        if answered is not None:  # None if `get` is no coroutine
            await answered

    async def prepare(self) -> None:
        """Register the request as in flight; read the session and its user from the database."""
        self.chat.active_requests.add(self)
        if self.chat.hub.is_shut_down:  # the server closes the connection after the response
            self.set_header("Connection", "close")
        self.session_token = self.private_cookie("session")
        if self.session_token is not None:
            self.session = await self.chat.sessions.get(self.session_token)
        self.current_user = self.session.user if self.session else None

    def require_own_origin(self) -> None:
        """Require that the header Origin, if present, names this chat's origin.

        Tornado compares host and port. An origin also has a scheme (RFC 6454, section 4): https
        with `--secure`, else the scheme of the connection, with `--xheaders` as the proxy reports
        it. Origins of `--allowed-origins` are accepted as well.

        Raises:
            HTTPError: 403 for another origin.
        """
        origin = self.request.headers.get("Origin")
        if origin is None or self.check_trusted_origin(origin):
            return
        scheme = "https" if self.chat.options.secure else self.request.protocol
        if origin.lower() != f"{scheme}://{self.request.host}".lower():
            raise tornado.web.HTTPError(403)

    def on_finish(self) -> None:
        """Remove the request from those in flight.

        Tornado calls this after the response; for a WebSocket, after the handshake.
        """
        self.chat.active_requests.remove(self)

    def get_template_namespace(self) -> dict[str, Any]:
        """Return the variables that all templates can use.

        Tornado's variables are extended by the XSRF token for the calls of the page's script, the
        user's theme, the import map and the URLs of the modules.
        """
        theme = self.current_user.theme if self.current_user else ""
        return super().get_template_namespace() | {
            "xsrf_token": self.xsrf_token,
            "theme": theme,
            "import_map": assets.import_map(self.settings["static_path"]),
            "modules": assets.versioned_modules(self.settings["static_path"]),
        }

    def get_user_locale(self) -> tornado.locale.Locale | None:
        """Return the language that the user has chosen; None for the language of the browser."""
        language = self.current_user.language if self.current_user else ""
        return tornado.locale.get(language) if language else None

    def get_browser_locale(self, default: str = "en") -> tornado.locale.Locale:
        """Return the chat's language that matches the header Accept-Language best (RFC 4647).

        Args:
            default: the name of the language to return if no language matches.
        """
        preferred = self.request.headers.get("Accept-Language", "")
        return tornado.locale.get(languages.match_language(preferred, default))

    def cookie_name(self, name: str) -> str:
        """Return the full name of one of this chat's cookies, see `cookies.cookie_name`."""
        secret = self.settings["cookie_secret"]
        return cookies.cookie_name(name, secret, secure=self.chat.options.secure)

    def set_private_cookie(self, name: str, value: str) -> None:
        """Set a signed cookie with the attributes HttpOnly and SameSite=Lax.

        Scripts cannot read it, and browsers do not send it with the form of another site. With
        `--secure` it also has the attribute Secure.

        Args:
            name: session, browser or `cookies.DEVICE`.
            value: the value, which the browser can read but not change.
        """
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
        """Return an argument of the path, the query or a form as a text; Tornado calls this.

        Raises:
            HTTPError: 400 if it is not UTF-8.
            ApiError: 400 if `require_valid_text` refuses it.
        """
        if len(value) > MAX_TEXT_BYTES:
            raise errors.too_long(name)
        return require_valid_text(super().decode_argument(value, name), name)

    def private_cookie(self, name: str) -> str | None:
        """Return the value of a signed cookie; None if it is absent, invalid or too old.

        A cookie under the name of earlier versions is replaced by one under the current name.
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
        """Return the value of a signed cookie under the name of earlier versions; None without one.

        A cookie of another chat on this host has an invalid signature here. It is not changed.
        """
        old_name = cookies.old_cookie_name(name, secure=self.chat.options.secure)
        value = self.get_signed_cookie(old_name, max_age_days=SIGNATURE_DAYS)
        return None if value is None else value.decode()

    def clear_private_cookie(self, name: str) -> None:
        """Delete a signed cookie, also under the name that earlier versions gave it."""
        self.clear_cookie(self.cookie_name(name), secure=self.chat.options.secure)
        if self.old_private_cookie(name) is not None:
            self.clear_old_private_cookie(name)

    def clear_old_private_cookie(self, name: str) -> None:
        """Delete the cookie under the name that earlier versions gave it."""
        secure = self.chat.options.secure
        self.clear_cookie(cookies.old_cookie_name(name, secure=secure), secure=secure)

    def check_xsrf_cookie(self) -> None:
        """Require the chat's origin and the XSRF token; Tornado calls this for unsafe methods.

        The XSRF cookie of an earlier version has another name. It is accepted as well, because the
        token of a page that was loaded before the upgrade matches only that cookie.
        """
        self.require_own_origin()
        name = self.cookie_name("xsrf")
        old = self.get_cookie(cookies.old_cookie_name("xsrf", secure=self.chat.options.secure))
        if name not in self.cookies and old is not None:
            self.cookies[name] = old  # type: ignore[assignment]  # makes a Morsel of it
        super().check_xsrf_cookie()

    def browser_id(self) -> str:
        """Return the id to which captchas are bound, from the cookie `browser`.

        If the browser has no such cookie, it gets one.
        """
        known = self.private_cookie("browser")
        if known is not None:
            return known
        fresh = secrets.token_urlsafe(16)
        self.set_private_cookie("browser", fresh)
        return fresh

    @property
    def network(self) -> str:
        """The client's network, the key of rate limits; see `rate_limiter.network_key`."""
        return rate_limiter.network_key(self.request.remote_ip or "")

    def enforce_rate_limit(self, key: object) -> None:
        """Count an action against the rate limit for changes and for requests without a session.

        Args:
            key: the id of a user, or the network of a client.

        Raises:
            ApiError: 429 if the limit is exceeded.
        """
        if not self.chat.request_limiter.acquire(key):
            raise errors.too_often()

    def enforce_read_limit(self, tokens: float = 1) -> None:
        """Count a read against the user's rate limit for reads.

        Args:
            tokens: the cost of the read.

        Raises:
            ApiError: 429 if the limit is exceeded.
        """
        if not self.chat.read_limiter.acquire(self.user.id, tokens):
            raise errors.too_often()

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Respond with an error, never with a traceback.

        The status is 503 after a failure of the database, 401 if the session has ended, and 404,
        403 or 409 for a `Refusal` of a service. Responses with 429 and 503 have the header
        Retry-After.
        """
        error = kwargs.get("exc_info", (None, None))[1]
        if isinstance(error, engines.DATABASE_ERRORS):
            error = ApiError(503, "unavailable", errors.UNAVAILABLE)
        elif isinstance(error, SessionEnded):
            error = errors.session_ended()
        elif isinstance(error, Refusal):
            error = errors.from_refusal(error)
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
        """Log an exception that is an error of the chat or of the database.

        Errors of the client are not logged here: the log line of the request has the status.
        Tornado's own method would log the query, which may contain the text of a search.
        """
        if isinstance(value, engines.DATABASE_ERRORS):
            log.error("the database failed: %s", value)
        elif not isinstance(value, tornado.web.HTTPError | SessionEnded | Refusal):
            log.error("a handler failed", exc_info=(typ, value, tb))  # type: ignore[arg-type]

    def render_error(self, status: HTTPStatus, error: ApiError | None) -> None:
        """Respond with an error as an HTML page.

        Args:
            status: the status of the response.
            error: the error with a message for people; None for an error without one.
        """
        message = self.locale.translate(error.body["message"]) if error else ""
        reason = self.locale.translate(reason_phrase(status))
        self.render("error.html", status=status.value, reason=reason, message=message)


class JsonHandler(BaseHandler):
    """Base of the handlers whose responses are JSON, errors included. A session is optional."""

    def render_error(self, status: HTTPStatus, error: ApiError | None) -> None:
        """Respond with an error as JSON: `{"error": {"code", "message", "field"?}}`."""
        text = reason_phrase(status)
        code = text.lower().replace(" ", "_")
        body = dict(error.body) if error else {"code": code, "message": text}
        self.finish({"error": body | {"message": self.locale.translate(body["message"])}})


class ApiHandler(JsonHandler):
    """Base of the handlers of the API, which require a session.

    All methods respond with 401 without a session, 403 for a wrong origin or XSRF token, 400 for an
    invalid argument or field, 429 above a rate limit, and 503 if the database does not answer. The
    docstrings of the methods name only what is special to them.

    Each GET counts against the user's rate limit for reads. At most
    `services.MAX_READS_IN_FLIGHT` of one user run at once. Each change counts against the rate
    limit for changes.
    """

    read_tokens = 1.0
    """Cost of a GET in tokens of the rate limit for reads."""

    reading_user_id: int | None = None
    """The id of the user while the request holds one of the user's read slots, else None."""

    async def prepare(self) -> None:
        """Require a session, and enforce the rate limits; a GET waits for a read slot.

        Raises:
            ApiError: 401 without a session, 429 above a rate limit.
        """
        await super().prepare()
        if self.current_user is None:
            raise errors.session_ended()
        if self.request.method in ("GET", "HEAD"):
            self.enforce_read_limit(self.read_tokens)
            await self.chat.read_slots.acquire(self.user.id)
            self.reading_user_id = self.user.id
        elif not self.streams_body:
            self.enforce_rate_limit(self.user.id)

    def on_finish(self) -> None:
        """Release the read slot, for the user's next read."""
        if self.reading_user_id is not None:
            self.chat.read_slots.release(self.reading_user_id)
            self.reading_user_id = None
        super().on_finish()

    @property
    def open_session(self) -> Session:
        """The session of the request. It was valid when the request began."""
        assert self.session is not None
        return self.session

    def json_body(self) -> dict[str, Any]:
        """Return the JSON object in the body of the request.

        Raises:
            ApiError: 413 if the body is longer than MAX_JSON_BYTES, 415 if its Content-Type is not
                application/json, 400 if it is not a JSON object.
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
        """Return a text of the body, "" if it is absent.

        Raises:
            ApiError: 400 if it is not a text, or if `require_valid_text` refuses it.
        """
        value = body.get(name, "")
        if not isinstance(value, str):
            raise errors.not_text(name)
        return require_valid_text(value, name)

    def id_field(self, body: dict[str, Any], name: str) -> int:
        """Return an id of the body.

        Raises:
            ApiError: 400 if it is absent, or not an integer from 0 to 2**53 - 1.
        """
        value = body.get(name)
        if type(value) is not int or not 0 <= value <= protocol.MAX_SAFE_INTEGER:
            raise errors.not_a_number(name)
        return value

    def bool_field(self, body: dict[str, Any], name: str, *, default: bool | None = None) -> bool:
        """Return a boolean of the body, or the default if it is absent.

        Raises:
            ApiError: 400 if it is not a boolean, or absent without a default.
        """
        value = body.get(name, default)
        if not isinstance(value, bool):
            raise ApiError(400, "bad_field", "This must be true or false.", name)
        return value

    async def contacts_with_presence(
        self, after: int | None = None
    ) -> tuple[list[dict[str, Any]], int | None]:
        """Return a page of the user's contacts, and the cursor of the next page.

        Args:
            after: the cursor of the page; None for the first page.

        Returns:
            The contacts for JSON, and None instead of a cursor if this is the last page.
        """
        found, cursor = await self.chat.contacts.list_for(self.user, after=after)
        return await self.with_presence(found), cursor

    async def with_presence(self, found: list[Contact]) -> list[dict[str, Any]]:
        """Return contacts for JSON; `online` is false if the user may not see the presence."""
        visible = [contact.user.id for contact in found if contact.presence_visible]
        online = await self.chat.hub.presence.online_among(visible)
        return [contact.to_dict() | {"online": contact.user.id in online} for contact in found]

    def int_query(self, name: str) -> int | None:
        """Return an integer of the query, or None if it is absent.

        Raises:
            ApiError: 400 if it is not a decimal number of at most 16 digits.
        """
        value = self.get_query_argument(name, None)
        if value is None:
            return None
        if not (value.isascii() and value.isdecimal() and len(value) <= 16):
            raise errors.not_a_number(name)
        return int(value)


@tornado.web.stream_request_body
class TooLargeHandler(JsonHandler):
    """Responds with 413 to a request whose Content-Length exceeds MAX_BODY_BYTES.

    The response is sent after the header, and the body is not read.
    """

    def set_default_headers(self) -> None:
        """Add `Connection: close`, because the body is not read."""
        super().set_default_headers()
        self.set_header("Connection", "close")

    def check_xsrf_cookie(self) -> None:
        """Skip the check, because the token may be in the body, which is not read."""

    async def prepare(self) -> None:
        """Respond with 413.

        The size limit of the connection is raised first. Otherwise Tornado would write a 400, too.
        """
        self.request.connection.set_max_body_size(sys.maxsize)  # type: ignore[union-attr]
        raise ApiError(413, "too_large", "That is too large.")

    def data_received(self, chunk: bytes) -> None:
        """Discard the part of the body that arrives before the connection is closed."""


class Application(tornado.web.Application):
    """Tornado application that refuses bodies which are too large before it reads them."""

    def get_handler_delegate(
        self,
        request: tornado.httputil.HTTPServerRequest,
        target_class: type[tornado.web.RequestHandler],
        target_kwargs: dict[str, Any] | None = None,
        path_args: list[bytes] | None = None,
        path_kwargs: dict[str, bytes] | None = None,
    ) -> Any:
        """Return the delegate that receives the request; Tornado calls this after the header.

        A request with too large a body gets `TooLargeHandler` instead of its own handler.
        """
        streams = getattr(target_class, "streams_body", False)
        if content_length(request) > MAX_BODY_BYTES and not streams:
            target_class, target_kwargs, path_args, path_kwargs = TooLargeHandler, None, None, None
        return super().get_handler_delegate(
            request, target_class, target_kwargs, path_args, path_kwargs
        )


def content_length(request: tornado.httputil.HTTPServerRequest) -> int:
    """Return the Content-Length of a request in bytes.

    Returns:
        0 if the header is absent or not a number. Tornado responds to the latter with 400.
    """
    value = request.headers.get("Content-Length", "")
    return int(value[:20]) if value.isascii() and value.isdecimal() else 0


class NotFoundHandler(BaseHandler):
    """Handler of all URLs that no route matches."""

    async def prepare(self) -> None:
        """Respond with 404, whatever the method is."""
        raise tornado.web.HTTPError(404)


CONTENT_TYPES = {
    ".css": "text/css",
    ".js": "text/javascript",
    ".json": "application/json",
    ".svg": "image/svg+xml",
}
"""Media types of the static files by suffix.

Tornado would use the system's table, which other programs can change (on Windows it is in the
registry). Browsers do not run a module of the type text/plain.
"""


class StaticFileHandler(tornado.web.StaticFileHandler):
    """GET /static/PATH: a static file.

    With the parameter `v` the response may be cached for ever, because the URL changes with the
    content of the file. Without it, browsers revalidate at each use (304 if the file is unchanged),
    so that after an upgrade no page uses old and new files together.
    """

    log_exception = BaseHandler.log_exception

    def validate_absolute_path(self, root: str, absolute_path: str) -> str | None:
        """Return the path of the file.

        Raises:
            HTTPError: 404 if no file can have this path: it contains a NUL, is too long, or ends
                with a slash.
        """
        # abspath has removed the slash from absolute_path; some versions cut the path at a NUL.
        if self.path.endswith("/") or "\0" in self.path:
            raise tornado.web.HTTPError(404)
        try:
            return super().validate_absolute_path(root, absolute_path)
        except (ValueError, OSError):
            raise tornado.web.HTTPError(404) from None

    def set_default_headers(self) -> None:
        """Disable MIME sniffing; without a version in the URL, require revalidation."""
        self.set_header("X-Content-Type-Options", "nosniff")
        if "v" not in self.request.arguments:
            self.set_header("Cache-Control", "no-cache")
        self.clear_header("Server")

    def get_content_type(self) -> str:
        """Return the media type of the file from CONTENT_TYPES, never from the system's table."""
        assert self.absolute_path is not None
        suffix = Path(self.absolute_path).suffix
        return CONTENT_TYPES.get(suffix, "application/octet-stream")

    @classmethod
    def get_content(  # type: ignore[override]  # Tornado takes both
        cls, abspath: str, start: int | None = None, end: int | None = None
    ) -> bytes:
        """Return the complete content of a file.

        Tornado's own method keeps the file open until a slow client has received the response.
        """
        return b"".join(super().get_content(abspath, start, end))

    def set_extra_headers(self, path: str) -> None:
        """Set `immutable` for a URL with a version, so that not even a reload revalidates it."""
        if "v" in self.request.arguments:
            self.set_header("Cache-Control", f"max-age={self.CACHE_MAX_AGE}, immutable")
