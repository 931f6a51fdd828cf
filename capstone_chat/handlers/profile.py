"""What people change about themselves."""

import asyncio
import functools
from collections.abc import Awaitable, Callable
from typing import Any

import tornado.web

from capstone_chat.accounts import login_throttle, passwords, picture_files
from capstone_chat.accounts.pictures import AlreadyUploading, Overloaded, Reservation, TooSlow
from capstone_chat.conversations.membership import publish_events
from capstone_chat.handlers.base import ApiError, ApiHandler
from capstone_chat.realtime import topics
from capstone_chat.text import names

LANGUAGES = ("", "en", "zh_CN", "ru")
THEMES = ("", "light", "dark")

UPLOAD_TIMEOUT = 120.0
"""Seconds in which an upload must be complete: 5 MB at 350 kbit/s."""


class AccountHandler(ApiHandler):
    """What only the owner of an account may do, not everybody who sits down at an open page."""

    def refresh_connections(self) -> None:
        """Make the user's connections read the account again, because it has changed."""
        self.chat.broker.send_control(topics.user(self.user.id), {"renew": True})

    async def with_password(self, field: str, change: Callable[[], Awaitable[bool]]) -> None:
        """Run a change that verifies the user's password.

        Args:
            field: the field that holds the password.
            change: the change; False for a wrong password.

        Raises:
            ApiError: 400 for a wrong password, 429 after too many of them.
        """
        account, browser = names.canonical_key(self.user.name), f"session {self.open_session.id}"
        keys = login_throttle.known_browser_keys(account, browser)
        if await self.chat.login_throttle.reserve_attempt(*keys) > 0:
            raise ApiError(
                429, "rate_limited", "Too many tries. Wait a while and try again.", field
            )
        if not await change():
            raise ApiError(400, "password_wrong", "The password is wrong.", field)
        await self.chat.login_throttle.record_success(*keys)


class MeHandler(AccountHandler):
    """The account of whoever asks."""

    async def patch(self) -> None:
        """Change the nickname, the language, the theme."""
        self.enforce_rate_limit(self.user.id)
        body = self.json_body()
        values: dict[str, str] = {}
        if "nickname" in body:
            values["nickname"] = nickname = names.normalize(self.str_field(body, "nickname"))
            problem = names.find_nickname_problem(nickname)
            if problem and nickname != self.user.nickname:  # an old one may stay
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
        """Delete the account; the password is asked for once more."""
        self.enforce_rate_limit(self.user.id)
        password = self.str_field(self.json_body(), "password")
        accounts, session = self.chat.accounts, self.open_session
        await self.with_password(
            "password",
            lambda: accounts.delete(
                session, password, functools.partial(publish_events, self.chat.broker)
            ),
        )
        self.set_status(204)


class PasswordHandler(AccountHandler):
    """The password of whoever asks."""

    async def put(self) -> None:
        """Change it: {"old": ..., "new": ...}. All other sessions end."""
        self.enforce_rate_limit(self.user.id)
        body = self.json_body()
        new = self.str_field(body, "new")
        if problem := passwords.find_problem(new, self.user.name, self.user.nickname):
            raise ApiError(400, "password_invalid", problem, "new")
        old = self.str_field(body, "old")
        accounts, session = self.chat.accounts, self.open_session
        await self.with_password("old", lambda: accounts.change_password(session, old, new))
        self.set_status(204)


class SessionsHandler(ApiHandler):
    """Where the user is logged in."""

    async def get(self) -> None:
        """Answer with the open sessions; `current` is the one that asks."""
        found: list[dict[str, Any]] = await self.chat.sessions.list_for(self.user)
        for each in found:
            each["current"] = each["id"] == self.open_session.id
        self.finish({"sessions": found})


class SessionHandler(ApiHandler):
    """One login of the user."""

    async def delete(self, session_id: str) -> None:
        """End it."""
        self.enforce_rate_limit(self.user.id)
        if not await self.chat.sessions.revoke(self.open_session, int(session_id)):
            raise ApiError(404, "not_found", "There is no such session.")
        self.set_status(204)


@tornado.web.stream_request_body
class MyPictureHandler(AccountHandler):
    """The user's picture. An upload is admitted, with its size, before any of it is received."""

    streams_body = True

    def initialize(self) -> None:
        """Prepare for an upload."""
        self.received = bytearray()
        self.reservation: Reservation | None = None
        self.refusal: ApiError | None = None
        """Answer to an upload that is not admitted. It is given when the body has been read (and
        dropped): a browser that is still sending would not see an earlier answer."""
        self.complete = False
        """Whether the body has been received."""
        self.timer: asyncio.TimerHandle | None = None

    async def prepare(self) -> None:
        """Admit an upload or refuse it. A length above the limit is refused at once."""
        await super().prepare()
        if self.request.method != "PUT":
            return
        connection = self.request.connection
        connection.set_max_body_size(picture_files.MAX_UPLOAD_BYTES)  # type: ignore[union-attr]
        connection.set_body_timeout(2 * UPLOAD_TIMEOUT)  # type: ignore[union-attr]
        size = self.declared_size()
        if size > picture_files.MAX_UPLOAD_BYTES:
            raise ApiError(413, "too_large", "The picture is larger than 5 MB.", "picture")
        self.timer = asyncio.get_running_loop().call_later(UPLOAD_TIMEOUT, self.time_out)
        try:
            self.admit(size)
        except ApiError as refusal:
            self.refusal = refusal

    def declared_size(self) -> int:
        """Return the bytes of the body that the head announces, the limit for a chunked body.

        Raises:
            ApiError: 400 when Content-Length is not one number (RFC 9110, section 8.6).
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

        Raises:
            ApiError: 429 for a user who uploads too much, 503 while others do.
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
        """Keep the body of an upload that is admitted, drop all others."""
        if self.reservation is not None:
            self.received += chunk

    def time_out(self) -> None:
        """Answer 408 to an upload whose body does not arrive in time, and close its connection."""
        message = "The upload took too long. Try again, or use a smaller picture."
        error = ApiError(408, "upload_timeout", message, "picture")
        self.send_error(408, exc_info=(ApiError, error, None))

    async def put(self) -> None:
        """Take a picture: the body is the file."""
        self.body_complete()
        if self.refusal is not None:
            raise self.refusal
        webp = await self.convert()
        name = await self.chat.accounts.change_picture(self.open_session, webp)
        self.refresh_connections()
        self.finish({"picture": name})

    async def convert(self) -> bytes:
        """Return the upload as a square picture; what is wrong with it is the answer."""
        try:
            return await self.chat.pictures.convert(self.received)
        except picture_files.InvalidImage as reason:
            raise ApiError(400, "not_a_picture", str(reason), "picture") from None
        except TooSlow:
            message = "It took too long to read this picture. Try another one."
            raise ApiError(400, "not_a_picture", message, "picture") from None
        except Overloaded:
            raise busy() from None

    async def delete(self) -> None:
        """Go back to the initials."""
        self.body_complete()
        self.enforce_rate_limit(self.user.id)
        await self.chat.accounts.change_picture(self.open_session, None)
        self.refresh_connections()
        self.finish({"picture": None})

    def body_complete(self) -> None:
        """Note that the body has been received."""
        self.complete = True
        if self.timer is not None:
            self.timer.cancel()

    def on_finish(self) -> None:
        """Release the memory of an upload."""
        super().on_finish()
        self.body_complete()
        self.received = bytearray()
        if self.reservation is not None:
            self.chat.pictures.release(self.reservation)

    def on_connection_close(self) -> None:
        """Release the memory of an upload whose connection is closed before it is complete.

        Tornado does not call `on_finish` then. A complete upload is finished without its client.
        """
        super().on_connection_close()
        if not self.complete:
            self.on_finish()


def busy() -> ApiError:
    """Return the answer to an upload for which there is no room."""
    message = "Too many pictures are being read just now. Try again in a moment."
    return ApiError(503, "busy", message, "picture")


class PictureHandler(ApiHandler):
    """Somebody's picture; a new picture has a new name, so a browser may keep it for ever."""

    read_tokens = 0.1  # a page of members asks for a hundred at once, and each once only

    async def get(self, name: str) -> None:
        """Answer with the WebP file."""
        webp = await self.chat.accounts.get_picture(name)
        if webp is None:
            raise ApiError(404, "not_found", "There is no such picture.")
        self.set_header("Content-Type", "image/webp")
        self.set_header("Cache-Control", "private, max-age=31536000, immutable")
        self.finish(webp)
