"""Notes come back byte by byte. A stand-in keeps them, which takes and gives what Redis does."""

import asyncio

import tornado.web
from redis.exceptions import DataError

from course.exercise_case import ExerciseCase, Mismatch

GET = "note = await self.store.get(name); self.write(note)"
MISSING = "Redis gives None for a key that it does not have: raise tornado.web.HTTPError(404)"
EMPTY = "an empty note is false, but it is not None"
POST = "await self.store.set(name, self.request.body), then self.set_status(204)"
BYTES = "self.request.body is bytes, and Redis gives back bytes: no decode(), no str(), no JSON"
AWAIT = "store.set() only makes a coroutine: await it"


class StandIn:
    """The two methods of redis.asyncio.Redis that are asked for here."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    async def get(self, name: str) -> bytes | None:
        await asyncio.sleep(0)
        return self.kept.get(name)

    async def set(self, name: str, value: object) -> bool:
        await asyncio.sleep(0)
        if isinstance(value, bool) or not isinstance(value, bytes | str | int | float):
            raise DataError(f"Invalid input of type: {type(value).__name__!r}.")
        self.kept[name] = value if isinstance(value, bytes) else str(value).encode()
        return True


class RedisNotes(ExerciseCase):
    def get_app(self) -> tornado.web.Application:
        self.store = StandIn()
        return self.make_app(self.store)

    def test_a_note_that_is_not_there_is_404(self) -> None:
        self.send("GET", "/note/shopping").expect(status=404, look=MISSING)

    def test_a_note_is_kept(self) -> None:
        answer = self.send("POST", "/note/shopping", body="milk")
        answer.expect(status=204, body="", look=POST)
        look = f"{POST}\n{AWAIT}"
        self.expect(self.store.kept, {"shopping": b"milk"}, sent=answer.sent, look=look)
        self.send("GET", "/note/shopping").expect(status=200, body="milk", look=GET)

    def test_the_newest_note_counts(self) -> None:
        for text in ("milk", "bread"):
            self.send("POST", "/note/shopping", body=text).expect(status=204, look=POST)
        self.send("GET", "/note/shopping").expect(status=200, body="bread", look=GET)
        self.send("GET", "/note/other").expect(status=404, look=MISSING)

    def test_any_bytes_come_back(self) -> None:
        for body in (b"\xff\x00\x80", "Grüß dich".encode(), b"{}"):
            with self.subTest(body):
                sent = self.send("POST", "/note/raw", body=body).expect(status=204, look=BYTES).sent
                answer = self.send("GET", "/note/raw").expect(status=200, look=BYTES)
                came = answer.response.body if answer.response else b""
                if came != body:
                    raise Mismatch(
                        sent=f"{sent}\n{answer.sent}",
                        came=repr(came),
                        expected=repr(body),
                        look=BYTES,
                    )

    def test_an_empty_note_is_a_note(self) -> None:
        self.send("POST", "/note/empty", body="").expect(status=204, look=POST)
        self.send("GET", "/note/empty").expect(status=200, body="", look=EMPTY)
