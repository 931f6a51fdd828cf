"""What people change about themselves."""

import asyncio
from typing import Any

import tornado.web

from capstone_chat import avatars, bus, names, passwords
from capstone_chat.handlers.base import ApiError, ApiHandler
from capstone_chat.membership import announce

LANGUAGES = ("", "en", "zh_CN", "ru")
THEMES = ("", "light", "dark")


class AccountHandler(ApiHandler):
    """What only the owner of an account may do, not everybody who sits down at an open page."""

    def tell_sockets(self) -> None:
        """Let the user's open sockets know that the account looks different now."""
        self.chat.bus.order(bus.user(self.user.id), {"renew": True})

    async def require_password(self, password: str, field: str) -> None:
        """Let who knows the password pass; 400 for a wrong one, 429 after too many."""
        assert self.session is not None
        key = f"account:{names.key(self.user.name)}:session {self.session.id}"
        if await self.chat.throttle.attempt(key) > 0:
            raise ApiError(
                429, "rate_limited", "Too many tries. Wait a while and try again.", field
            )
        if await self.chat.accounts.check(self.user.name, password) is None:
            raise ApiError(400, "password_wrong", "The password is wrong.", field)
        await self.chat.throttle.succeeded(key)


class MeHandler(AccountHandler):
    """The account of whoever asks."""

    async def patch(self) -> None:
        """Change the nickname, the language, the theme."""
        self.require_patience(self.user.id)
        body = self.body()
        values: dict[str, str] = {}
        if "nickname" in body:
            values["nickname"] = names.clean(self.text(body, "nickname"))
            if problem := names.label_problem(values["nickname"], names.NICKNAME_LONGEST):
                raise ApiError(400, "nickname_invalid", problem, "nickname")
        for name, known in ("language", LANGUAGES), ("theme", THEMES):
            if name in body:
                values[name] = self.text(body, name)
                if values[name] not in known:
                    raise ApiError(400, "bad_field", "This is not one of the choices.", name)
        if values:
            await self.chat.accounts.change_profile(self.user, **values)
            self.tell_sockets()
        self.finish({"user": self.user.private() | values})

    async def delete(self) -> None:
        """Delete the account; the password is asked for once more."""
        self.require_patience(self.user.id)
        await self.require_password(self.text(self.body(), "password"), "password")
        await self.chat.accounts.delete(self.user, lambda told: announce(self.chat.bus, told))
        await self.chat.sessions.end_others(self.user)
        self.set_status(204)


class PasswordHandler(AccountHandler):
    """The password of whoever asks."""

    async def put(self) -> None:
        """Change it: {"old": ..., "new": ...}. All other sessions end."""
        self.require_patience(self.user.id)
        body = self.body()
        new = self.text(body, "new")
        if problem := passwords.problem(new, self.user.name, self.user.nickname):
            raise ApiError(400, "password_invalid", problem, "new")
        await self.require_password(self.text(body, "old"), "old")
        await self.chat.accounts.change_password(self.user, new)
        assert self.session is not None
        await self.chat.sessions.end_others(self.user, keep=self.session.id)
        self.set_status(204)


class SessionsHandler(ApiHandler):
    """Where the user is logged in."""

    async def get(self) -> None:
        """Answer with the open sessions; `current` is the one that asks."""
        assert self.session is not None
        found: list[dict[str, Any]] = await self.chat.sessions.of(self.user)
        for each in found:
            each["current"] = each["id"] == self.session.id
        self.finish({"sessions": found})


class SessionHandler(ApiHandler):
    """One login of the user."""

    async def delete(self, session_id: str) -> None:
        """End it."""
        if not await self.chat.sessions.end(self.user, int(session_id)):
            raise ApiError(404, "not_found", "There is no such session.")
        self.set_status(204)


@tornado.web.stream_request_body
class MyPictureHandler(AccountHandler):
    """The user's picture. Its size is known and checked before any of it is read."""

    def initialize(self) -> None:
        """Begin with nothing."""
        self.received = bytearray()

    async def prepare(self) -> None:
        """Refuse what is too large before it comes."""
        await super().prepare()
        self.request.connection.set_max_body_size(avatars.UPLOAD_LIMIT)  # type: ignore[union-attr]
        if int(self.request.headers.get("Content-Length", 0)) > avatars.UPLOAD_LIMIT:
            raise ApiError(413, "too_large", "The picture is larger than 5 MB.", "picture")

    def data_received(self, chunk: bytes) -> None:
        """Gather the body."""
        self.received += chunk

    async def put(self) -> None:
        """Take a picture: the body is the file."""
        self.require_patience(self.user.id)
        loop = asyncio.get_running_loop()
        try:
            webp = await loop.run_in_executor(self.chat.pool, avatars.square, bytes(self.received))
        except avatars.NotAPicture as reason:
            raise ApiError(400, "not_a_picture", str(reason), "picture") from None
        name = await self.chat.accounts.change_picture(self.user, webp)
        self.tell_sockets()
        self.finish({"picture": name})

    async def delete(self) -> None:
        """Go back to the initials."""
        await self.chat.accounts.change_picture(self.user, None)
        self.tell_sockets()
        self.finish({"picture": None})


class PictureHandler(ApiHandler):
    """Somebody's picture; a new picture has a new name, so a browser may keep it for ever."""

    async def get(self, name: str) -> None:
        """Answer with the WebP file."""
        webp = await self.chat.accounts.picture(name)
        if webp is None:
            raise ApiError(404, "not_found", "There is no such picture.")
        self.set_header("Content-Type", "image/webp")
        self.set_header("Cache-Control", "private, max-age=31536000, immutable")
        self.finish(webp)
