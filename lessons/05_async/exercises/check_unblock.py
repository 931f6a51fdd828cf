"""While one visitor's nap lasts, the loop turns; and the nap is as long as it was."""

import asyncio

from course.exercise_case import ExerciseCase, Mismatch

NAP = 0.5  # seconds
OTHERS = "others are served"
LOOK = (
    "the line with the TODO: an async def may await; see BlockingHandler, AwaitingHandler in app.py"
)


class Events(list[str]):
    """The list that the handler appends to. When the nap begins, somebody else wants the loop."""

    def append(self, event: str) -> None:
        super().append(event)
        if event == "nap begins":
            self.began = asyncio.get_running_loop().time()
            asyncio.get_running_loop().call_soon(super().append, OTHERS)
        else:
            self.ended = asyncio.get_running_loop().time()


class Unblock(ExerciseCase):
    def setUp(self) -> None:
        super().setUp()
        self.events = self._app.settings["events"] = Events()

    def test_the_nap_is_answered(self) -> None:
        look = "keep the lines around the nap as they are"
        self.send("GET", "/nap").expect(status=200, body="Good morning\n", look=look)
        self.expect(
            [event for event in self.events if event != OTHERS],
            ["nap begins", "nap ends"],
            sent="GET /nap",
            look=look,
        )

    def test_others_are_served_before_the_nap_ends(self) -> None:
        self.send("GET", "/nap").expect(status=200, look=LOOK)
        expected = ["nap begins", OTHERS, "nap ends"]
        if self.events != expected:
            raise Mismatch(
                sent="GET /nap, and another request while the nap lasts",
                came=" -> ".join(self.events),
                expected=" -> ".join(expected),
                look=LOOK,
            )

    def test_the_nap_is_as_long_as_before(self) -> None:
        self.send("GET", "/nap").expect(status=200, look=LOOK)
        slept = self.events.ended - self.events.began
        if slept < NAP - 0.02:  # a clock may be that coarse
            raise Mismatch(
                sent="GET /nap",
                came=f"a nap of {slept:.2f} seconds",
                expected=f"{NAP} seconds",
                look="pass the seconds on to the sleep that can be awaited",
            )
