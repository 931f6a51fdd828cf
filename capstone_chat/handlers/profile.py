"""Handlers of the API for the user's own account: profile, password, sessions and picture."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import tornado.web

from capstone_chat.accounts import login_throttle, passwords, picture_files
from capstone_chat.accounts.pictures import AlreadyUploading, Overloaded, Reservation, TooSlow
from capstone_chat.handlers.base import ApiHandler
from capstone_chat.handlers.errors import TOO_MANY_TRIES, ApiError
from capstone_chat.realtime import topics
from capstone_chat.realtime.control import RefreshUser
from capstone_chat.text import names

LANGUAGES = ("", "en", "zh_CN", "ru")
THEMES = ("", "light", "dark")

UPLOAD_TIMEOUT = 120.0
"""Maximum number of seconds for an upload: enough for 5 MB at 350 kbit/s."""


class AccountHandler(ApiHandler):
    """Base of the handlers that change the account.

    Some changes require the password again. So another person at an unlocked computer cannot make
    them (OWASP Authentication Cheat Sheet: reauthentication).
    """

    def refresh_connections(self) -> None:
        """Make the user's connections, in all processes, read the account again."""
        self.chat.hub.send_control(topics.user(self.user.id), RefreshUser())

    async def with_password(self, field: str, change: Callable[[], Awaitable[bool]]) -> None:
        """Run a change that verifies the user's password.

        Args:
            field: the field that holds the password.
            change: makes the change; returns False if the password is wrong.

        Raises:
            ApiError: 400 if the password is wrong, 429 after too many wrong passwords.
        """
        account, browser = names.canonical_key(self.user.name), f"session {self.open_session.id}"
        keys = login_throttle.known_browser_keys(account, browser)
        if await self.chat.login_throttle.reserve_attempt(*keys) > 0:
            raise ApiError(429, "rate_limited", TOO_MANY_TRIES, field)
        if not await change():
            raise ApiError(400, "password_wrong", "The password is wrong.", field)
        await self.chat.login_throttle.record_success(*keys)


class MeHandler(AccountHandler):
    """Profile and account of the user."""

    async def patch(self) -> None:
        """PATCH /api/me: change nickname, language and theme, if given; respond with the user."""
        body = self.json_body()
        values: dict[str, str] = {}
        if "nickname" in body:
            values["nickname"] = nickname = names.normalize(self.str_field(body, "nickname"))
            problem = names.find_nickname_problem(nickname)
            if problem and nickname != self.user.nickname:  # allowed by an older rule: may stay
                raise ApiError(400, "nickname_invalid", problem, "nickname")
        for name, known in ("language", LANGUAGES), ("theme", THEMES):
            if name in body:
                values[name] = self.str_field(body, name)
                if values[name] not in known:
                    raise ApiError(400, "bad_field", "This is not one of the choices.", name)
        if values:
            await self.chat.accounts.change_profile(self.open_session, **values)
            self.refresh_connections()
        self.finish({"user": self.user.to_private_dict() | values})

    async def delete(self) -> None:
        """DELETE /api/me: delete the account.

        The body has the `password`. Responds with 204, or with 400 if the password is wrong.
        """
        password = self.str_field(self.json_body(), "password")
        accounts, session = self.chat.accounts, self.open_session
        await self.with_password("password", lambda: accounts.delete(session, password))
        self.set_status(204)


class PasswordHandler(AccountHandler):
    """Password of the user."""

    async def put(self) -> None:
        """PUT /api/me/password: replace the password `old` by `new`, and revoke all other sessions.

        Responds with 204, or with 400 if `old` is wrong or `new` is not allowed.
        """
        body = self.json_body()
        new = self.str_field(body, "new")
        if problem := passwords.find_problem(new, self.user.name, self.user.nickname):
            raise ApiError(400, "password_invalid", problem, "new")
        old = self.str_field(body, "old")
        accounts, session = self.chat.accounts, self.open_session
        await self.with_password("old", lambda: accounts.change_password(session, old, new))
        self.set_status(204)


class SessionsHandler(ApiHandler):
    """List of the user's sessions."""

    async def get(self) -> None:
        """GET /api/me/sessions: respond with the sessions; `current` marks that of the request."""
        found: list[dict[str, Any]] = await self.chat.sessions.list_for(self.user)
        for each in found:
            each["current"] = each["id"] == self.open_session.id
        self.finish({"sessions": found})


class SessionHandler(ApiHandler):
    """Session of the user."""

    async def delete(self, session_id: str) -> None:
        """DELETE /api/me/sessions/ID: revoke the session and close its connections.

        Responds with 204; 404 if the user has no such session.
        """
        if not await self.chat.sessions.revoke(self.open_session, int(session_id)):
            raise ApiError(404, "not_found", "There is no such session.")
        self.set_status(204)


@tornado.web.stream_request_body
class MyPictureHandler(AccountHandler):
    """Picture of the user.

    An upload needs memory and a process. So it is admitted or refused when its header has arrived,
    by its size, and memory is reserved before the body is received.
    """

    streams_body = True

    def initialize(self) -> None:
        """Set the state of an upload; Tornado calls this instead of `__init__`."""
        self.received = bytearray()
        self.reservation: Reservation | None = None
        self.refusal: ApiError | None = None
        """Response to an upload that is not admitted, or None.

        It is sent after the body has been received and discarded, because a browser does not read a
        response while it sends.
        """
        self.complete = False
        """Whether the body has been received."""
        self.timer: asyncio.TimerHandle | None = None

    async def prepare(self) -> None:
        """Admit an upload or store the refusal; start the timeout.

        Raises:
            ApiError: 413 if the upload is longer than the limit. Its body is not received.
        """
        await super().prepare()
        if self.request.method != "PUT":
            return
        connection = self.request.connection
        connection.set_max_body_size(picture_files.MAX_UPLOAD_BYTES)  # type: ignore[union-attr]
        connection.set_body_timeout(2 * UPLOAD_TIMEOUT)  # type: ignore[union-attr]
        size = self.declared_size()
        if size > picture_files.MAX_UPLOAD_BYTES:
            raise ApiError(413, "too_large", picture_files.TOO_LARGE, "picture")
        self.timer = asyncio.get_running_loop().call_later(UPLOAD_TIMEOUT, self.time_out)
        try:
            self.admit(size)
        except ApiError as refusal:
            self.refusal = refusal

    def declared_size(self) -> int:
        """Return the size of the body in bytes, by the header.

        Returns:
            The Content-Length; for a chunked body, whose size is unknown, the limit.

        Raises:
            ApiError: 400 if Content-Length is not a single number (RFC 9110, section 8.6).
        """
        length = self.request.headers.get("Content-Length")
        if length is None:
            chunked = "Transfer-Encoding" in self.request.headers
            return picture_files.MAX_UPLOAD_BYTES if chunked else 0
        if not (length.isascii() and length.isdecimal() and len(length) <= 16):
            raise ApiError(400, "bad_request", "The length of the upload must be one number.")
        return int(length)

    def admit(self, size: int) -> None:
        """Reserve memory for an upload.

        Args:
            size: the size of the body in bytes.

        Raises:
            ApiError: 429 above the rate limit or while another upload of the user is in flight, 503
                while all memory for uploads is reserved.
        """
        self.enforce_rate_limit(self.user.id)
        address = self.request.remote_ip or ""
        try:
            self.reservation = self.chat.pictures.reserve(self.user.id, address, size)
        except AlreadyUploading:
            message = "Your last picture is still being read. Wait a moment and try again."
            raise ApiError(429, "rate_limited", message, "picture") from None
        except Overloaded:
            raise busy() from None

    def data_received(self, chunk: bytes) -> None:
        """Store a chunk of the body if the upload is admitted, else discard it."""
        if self.reservation is not None:
            self.received += chunk

    def time_out(self) -> None:
        """Respond with 408 after UPLOAD_TIMEOUT without the complete body; close the connection."""
        message = "The upload took too long. Try again, or use a smaller picture."
        error = ApiError(408, "upload_timeout", message, "picture")
        self.send_error(408, exc_info=(ApiError, error, None))

    async def put(self) -> None:
        """PUT /api/me/picture: replace the picture by the image file in the body.

        Responds with the name of the new picture; 400 if the file is not a usable image, 503 while
        too many pictures are being converted.
        """
        self.body_complete()
        if self.refusal is not None:
            raise self.refusal
        try:
            webp = await self.chat.pictures.convert(self.received)
        except picture_files.InvalidImage as reason:
            raise ApiError(400, "not_a_picture", str(reason), "picture") from None
        except TooSlow:
            message = "It took too long to read this picture. Try another one."
            raise ApiError(400, "not_a_picture", message, "picture") from None
        except Overloaded:
            raise busy() from None
        name = await self.chat.accounts.change_picture(self.open_session, webp)
        self.refresh_connections()
        self.finish({"picture": name})

    async def delete(self) -> None:
        """DELETE /api/me/picture: remove the picture. Others see initials instead."""
        self.body_complete()
        self.enforce_rate_limit(self.user.id)
        await self.chat.accounts.change_picture(self.open_session, None)
        self.refresh_connections()
        self.finish({"picture": None})

    def body_complete(self) -> None:
        """Record that the body has been received, and stop the timeout."""
        self.complete = True
        if self.timer is not None:
            self.timer.cancel()

    def on_finish(self) -> None:
        """Release the reservation and the memory of the upload. Idempotent."""
        super().on_finish()
        self.body_complete()
        self.received = bytearray()
        if self.reservation is not None:
            self.chat.pictures.release(self.reservation)

    def on_connection_close(self) -> None:
        """Release the memory of an upload whose client has disconnected before its end.

        Tornado does not call `on_finish` in this case. If the body is complete, `put` continues
        without the client, and Tornado calls `on_finish` after it.
        """
        super().on_connection_close()
        if not self.complete:
            self.on_finish()


def busy() -> ApiError:
    """Return the error for an upload that exceeds the memory or the processes for pictures."""
    message = "Too many pictures are being read just now. Try again in a moment."
    return ApiError(503, "busy", message, "picture")


class PictureHandler(ApiHandler):
    """Picture of any user.

    A new picture gets a new name, so browsers cache it without revalidation.
    """

    read_tokens = 0.1  # a page of members requests 100 pictures at once; then they are cached

    async def get(self, name: str) -> None:
        """GET /pictures/NAME.webp: respond with the WebP file; 404 if there is no such picture."""
        webp = await self.chat.accounts.get_picture(name)
        if webp is None:
            raise ApiError(404, "not_found", "There is no such picture.")
        self.set_header("Content-Type", "image/webp")
        self.set_header("Cache-Control", "private, max-age=31536000, immutable")
        self.finish(webp)
