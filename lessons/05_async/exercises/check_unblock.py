"""While one visitor's nap lasts, the event loop serves others; and the nap is as long as before."""

import asyncio
from typing import ClassVar

from course.testing.http import ExerciseCase, Mismatch

NAP = 0.5  # seconds
TURNS = 100  # of the event loop, about as many as it takes to serve others
OTHERS = "others are served"
LINES = "keep the lines around the nap as they are"
LOOK = (
    "The line with the TODO must wait without blocking for the whole nap: async def, and await\n"
    "asyncio.sleep(0.5); see BlockingHandler and AwaitingHandler in app.py"
)
AWAIT = (
    "time.sleep() returns None, which cannot be awaited; the loop runs already, so asyncio.run()\n"
    "fails. Write await asyncio.sleep(0.5), in an async def"
)
LENGTH = "The handler did not wait for the whole nap: await asyncio.sleep(0.5)"


class Events(list[str]):
    """The list that the handler appends to. When the nap begins, somebody else needs the loop."""

    began = ended = 0.0

    def __init__(self) -> None:
        super().__init__()
        self.served = asyncio.Event()

    def append(self, event: str) -> None:
        super().append(event)
        loop = asyncio.get_running_loop()
        if event == "nap begins":
            self.began = loop.time()
            loop.call_soon(self.serve_others, TURNS)
        else:
            self.ended = loop.time()

    def serve_others(self, turns: int) -> None:
        if turns:
            asyncio.get_running_loop().call_soon(self.serve_others, turns - 1)
        else:
            super().append(OTHERS)
            self.served.set()


class Unblock(ExerciseCase):
    events: ClassVar[Events]

    def test_the_nap_is_as_long_as_before(self) -> None:
        events = self._app.settings["events"] = Unblock.events = Events()
        answer = self.send("GET", "/nap")
        if events.began:
            self.io_loop.run_sync(events.served.wait)
        answer.expect(status=200, advice=AWAIT if answer.status == 500 else LINES)
        self.expect(answer.text.strip(), "Good morning", sent=answer.sent, advice=LINES)
        received = [event for event in events if event != OTHERS]
        self.expect(received, ["nap begins", "nap ends"], sent=answer.sent, advice=LINES)
        slept = events.ended - events.began
        if slept < NAP - 0.02:  # a clock may be that coarse
            raise Mismatch(
                sent=answer.sent,
                received=f"a nap of {slept:.2f} seconds",
                expected=f"{NAP} seconds",
                advice=LENGTH,
            )

    def test_others_are_served_before_the_nap_ends(self) -> None:
        expected = ["nap begins", OTHERS, "nap ends"]
        if self.events != expected:
            raise Mismatch(
                sent="GET /nap, and other requests while the nap lasts",
                received=" -> ".join(self.events),
                expected=" -> ".join(expected),
                advice=LOOK,
            )
