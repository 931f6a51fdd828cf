"""While a password is hashed, the server answers; and the hash is the one that was asked for."""

import asyncio
import threading

from tornado.testing import gen_test

from course.testing.http import ExerciseCase, Mismatch

ALONE = 0.8  # seconds that the hashing waits for the other visitor
LOOK = (
    "HashHandler.get(): async def, and await asyncio.to_thread(function, argument): the function\n"
    "and its argument apart, so that the thread calls it; see executors.py"
)
ANSWER = "HashHandler.get(): await the digest, then write digest.hex(), as at the beginning"
HOLDS = (
    "The hash was made on the loop, or the loop waited for the thread: result() and join() block.\n"
    "await asyncio.to_thread(function, argument); see executors.py"
)


class Hashing(ExerciseCase):
    def setUp(self) -> None:
        super().setUp()
        self.events: list[str] = []
        self.begun = asyncio.Event()
        self.answered = threading.Event()
        self._app.settings["hash"] = self.hash

    def hash(self, password: bytes) -> bytes:
        """Work until the other visitor has an answer; in vain if this holds up the loop."""
        self.events.append("hash begins")
        self.io_loop.add_callback(self.begun.set)
        self.answered.wait(ALONE)
        self.events.append("hash ends")
        return password[::-1]

    @gen_test
    async def test_another_visitor_is_answered_while_it_works(self) -> None:
        hashing = asyncio.ensure_future(self.request("GET", "/hash"))
        begun = asyncio.ensure_future(self.begun.wait())
        await asyncio.wait([hashing, begun], return_when=asyncio.FIRST_COMPLETED)
        begun.cancel()
        page = await self.request("GET", "/")
        self.events.append("another visitor is answered")
        self.answered.set()
        page.expect(status=200, body="pong\n", advice="PingHandler: leave it as it is")
        answer = await hashing
        answer.expect(status=200, advice=LOOK)
        expected = ["hash begins", "another visitor is answered", "hash ends"]
        if self.events != expected:
            raise Mismatch(
                sent="GET /hash, and GET / while it works",
                received=" -> ".join(self.events),
                expected=" -> ".join(expected),
                advice=HOLDS if self.events == [expected[0], expected[2], expected[1]] else ANSWER,
            )

    def test_the_answer_is_the_hash(self) -> None:
        self.answered.set()  # nobody else is there
        answer = self.send("GET", "/hash").expect(status=200, advice=LOOK)
        self.expect(answer.text.strip(), b"terces".hex(), sent=answer.sent, advice=ANSWER)
