"""Notes come back byte by byte. A stand-in stores them, which behaves as Redis does."""

import asyncio
from collections.abc import Awaitable
from typing import Any, NoReturn

import tornado.web
from redis.exceptions import DataError

from course.testing.http import ExerciseCase, Mismatch, Response

GET = "note = await self.store.get(name), then self.write(note)"
MISSING = "Redis returns None for a key that it does not have: raise tornado.web.HTTPError(404)."
EMPTY = "An empty note is false, but it is not None: compare with `is None`."
POST = "await self.store.set(name, self.request.body), then self.set_status(204)"
BYTES = (
    "A note may be any bytes. self.request.body is bytes, and Redis returns bytes: do not decode, "
    "strip or convert them."
)
AWAIT = "Without await, store.get() and store.set() only make a coroutine object, and nothing runs."
STORE = "Keep the note in the store: what a process keeps is lost when it ends."
NAMES = "Each name has a note of its own: make the key from the name."
NEWEST = "A second POST replaces the note."


class StandIn:
    """The commands of redis.asyncio.Redis that keep one value by one name."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}
        self.waiting = 0  # coroutines that were made and have not been awaited

    def get(self, name: str | bytes) -> Awaitable[bytes | None]:
        self.waiting += 1
        return self._get(name)

    def set(self, *arguments: Any, **options: Any) -> Awaitable[bool | None]:
        self.waiting += 1
        return self._set(*arguments, **options)

    async def _get(self, name: str | bytes) -> bytes | None:
        self.waiting -= 1
        await asyncio.sleep(0)
        return self.kept.get(_text(name))

    async def _set(
        self,
        name: str | bytes,
        value: object,
        ex: Any = None,
        px: Any = None,
        nx: bool = False,
        xx: bool = False,
        **_: object,
    ) -> bool | None:
        self.waiting -= 1
        await asyncio.sleep(0)
        if isinstance(value, bool) or not isinstance(value, bytes | str | int | float):
            raise DataError(f"Invalid input of type: {type(value).__name__!r}.")
        key = _text(name)
        if (nx and key in self.kept) or (xx and key not in self.kept):
            return None
        self.kept[key] = value if isinstance(value, bytes) else str(value).encode()
        return True

    async def setex(self, name: str | bytes, time: object, value: object) -> bool | None:
        return await self.set(name, value)

    async def exists(self, *names: str | bytes) -> int:
        await asyncio.sleep(0)
        return sum(_text(name) in self.kept for name in names)

    async def delete(self, *names: str | bytes) -> int:
        await asyncio.sleep(0)
        return sum(self.kept.pop(_text(name), None) is not None for name in names)

    async def expire(self, name: str | bytes, time: object) -> bool:
        return bool(await self.exists(name))

    def __getattr__(self, command: str) -> NoReturn:
        raise AttributeError(
            f"The object that stands for Redis here has no {command}(). Use get() and set()."
        )


def _text(name: str | bytes) -> str:
    return name.decode() if isinstance(name, bytes) else str(name)


class RedisNotes(ExerciseCase):
    def get_app(self) -> tornado.web.Application:
        self.store = StandIn()
        return self.make_app(self.store)

    def post(self, path: str, body: str | bytes, advice: str) -> Response:
        return self.send("POST", path, body=body).expect(status=204, body="", advice=advice)

    def test_a_note_that_is_not_there_is_404(self) -> None:
        answer = self.send("GET", "/note/shopping")
        answer.expect(status=404, advice=AWAIT if self.store.waiting else MISSING)

    def test_a_note_is_stored(self) -> None:
        answer = self.post("/note/shopping", "milk", POST)
        if not self.store.kept:
            raise Mismatch(
                sent=f"{answer.sent}\nthen: what is in the store?",
                received="nothing",
                expected="the note",
                advice=AWAIT if self.store.waiting else STORE,
            )
        advice = GET if b"milk" in self.store.kept.values() else POST
        answer = self.send("GET", "/note/shopping")
        answer.expect(status=200, body="milk", advice=AWAIT if self.store.waiting else advice)

    def test_the_newest_note_counts(self) -> None:
        for text in ("milk", "bread"):
            self.post("/note/shopping", text, POST)
        self.send("GET", "/note/shopping").expect(status=200, body="bread", advice=NEWEST)

    def test_each_name_has_its_note(self) -> None:
        self.post("/note/shopping", "milk", POST)
        self.send("GET", "/note/other").expect(status=404, advice=NAMES)

    def test_an_empty_note_is_a_note(self) -> None:
        self.post("/note/empty", "", POST)
        self.send("GET", "/note/empty").expect(status=200, body="", advice=EMPTY)

    def test_any_bytes_come_back(self) -> None:
        for body in (b" two spaces\r\n", b"\xff\x00\x80", "Grüß dich".encode(), b'{"a": 1}'):
            sent = self.post("/note/raw", body, BYTES).sent
            answer = self.send("GET", "/note/raw").expect(status=200, advice=BYTES)
            received = answer.response.body if answer.response else b""
            if received != body:
                raise Mismatch(
                    sent=f"{sent}\n{answer.sent}",
                    received=repr(received),
                    expected=repr(body),
                    advice=BYTES,
                )
