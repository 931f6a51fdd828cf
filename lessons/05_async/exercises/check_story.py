"""Told with yield or with await, the story has the same events in the same order."""

import asyncio
from typing import Any

from tornado.testing import gen_test

from course.exercise_case import ExerciseCase, Mismatch, Unusable

TOLD = ["a begins", "a waits", "b begins and ends", "a ends"]


class Story(ExerciseCase):
    def setUp(self) -> None:
        super().setUp()
        self.events: list[str] = self._app.settings["events"]
        self._app.settings["ask"] = self.ask
        self.told = asyncio.Event()
        self.leaked: list[BaseException] = []
        loop = self.io_loop.asyncio_loop  # type: ignore[attr-defined]
        loop.set_exception_handler(lambda _, context: self.leaked.append(context["exception"]))

    def ask(self) -> asyncio.Future[str]:
        """Let b have its turn while a waits, and then give a its answer."""
        self.events.append("a waits")
        answer: asyncio.Future[str] = asyncio.Future()

        def turn() -> None:
            self.events.append("b begins and ends")
            answer.set_result("a ends")
            answer.add_done_callback(lambda _: self.told.set())  # after what drive() has added

        asyncio.get_running_loop().call_soon(turn)
        return answer

    def expect_story(self, sent: str, look: str) -> None:
        if self.events != TOLD:
            raise Mismatch(
                sent=sent,
                came=" -> ".join(map(str, self.events)) or "no event",
                expected=" -> ".join(TOLD),
                look=look,
            )

    @gen_test
    async def test_drive_tells_the_story(self) -> None:
        drive, story = (getattr(self.subject, name, None) for name in ("drive", "story"))
        if not callable(drive) or not callable(story):
            raise Unusable("The check calls drive() and story(): both have to be there.")
        sent = "drive(story(events, ask))"
        try:
            drive(story(self.events, self.ask))
        except AttributeError as error:
            raise Mismatch(
                sent=sent,
                came=f"AttributeError: {error}",
                expected="the generator runs to its first yield",
                look="drive(): in Python 3 it is next(steps), or steps.send(None)",
            ) from None
        if self.events:
            await self.told.wait()
        self.expect_story(
            sent, "drive(): steps.send(answer) goes on, and is what the yield returns"
        )
        if self.leaked:
            raise Mismatch(
                sent=sent,
                came=f"{type(self.leaked[0]).__name__} at the end of the story",
                expected="nothing: that is how a generator says that it has ended",
                look="drive(): catch StopIteration, and return",
            )

    def test_get_tells_the_same_story(self) -> None:
        look = "StoryHandler.get(): story() line by line, await for yield; ask is in self.settings"
        answer = self.send("GET", "/")
        answer.expect(status=200, look=look)
        self.expect_story(answer.sent, look)
        answer.expect(status=200, json={"events": TOLD}, look="get(): write the events at the end")

    def test_no_driver_is_needed_any_more(self) -> None:
        def no_driver(*_: Any) -> None:
            raise AssertionError

        self.subject.drive = no_driver  # type: ignore[attr-defined]
        look = (
            "StoryHandler.get(): Tornado drives an async def; await self.settings['ask']() itself"
        )
        answer = self.send("GET", "/").expect(status=200, look=look)
        self.expect_story(answer.sent, look)
