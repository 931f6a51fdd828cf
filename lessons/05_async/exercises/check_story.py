"""Run by drive() or written with await, the story has the same events in the same order."""

import asyncio
from typing import Any

from tornado.testing import gen_test

from course.testing.http import ExerciseCase, InvalidSubmission, Mismatch

NEXT = "drive(): Python 3 has no steps.next(). Write next(steps), or steps.send(None)"
SEND = "drive(): steps.send(answer) goes on, and answer is then the value of the yield expression"
LOST = "drive(): the answer was lost. next(steps) sends None: use steps.send(answer)"
RESULT = "drive(): pass future.result(), which is there when the callback runs"
END = "drive(): catch StopIteration and return"
GET = "StoryHandler.get(): the lines of story(), with await for yield; ask is in self.settings"
WRITE = "StoryHandler.get(): write the events at the end"
NO_DRIVER = (
    "StoryHandler.get(): Tornado drives an async def itself, so drive() is not needed here:\n"
    "await self.settings['ask']()"
)
EVENTS = ["a begins", "a waits", "another request is served", "a ends"]


class Story(ExerciseCase):
    def setUp(self) -> None:
        super().setUp()
        self.events: list[str] = self._app.settings["events"]
        self._app.settings["ask"] = self.ask
        self.done = asyncio.Event()
        self.leaked: list[BaseException] = []
        loop = self.io_loop.asyncio_loop  # type: ignore[attr-defined]
        loop.set_exception_handler(lambda _, context: self.leaked.append(context["exception"]))

    def ask(self) -> asyncio.Future[str]:
        """Serve another request while `a` waits, and then give `a` its answer."""
        self.events.append("a waits")
        answer: asyncio.Future[str] = asyncio.Future()

        def turn() -> None:
            self.events.append("another request is served")
            answer.set_result("a ends")
            answer.add_done_callback(lambda _: self.done.set())  # after what drive() has added

        asyncio.get_running_loop().call_soon(turn)
        return answer

    def expect_story(self, sent: str, advice: str) -> None:
        if self.events != EVENTS:
            raise Mismatch(
                sent=sent,
                received=" -> ".join(map(str, self.events)) or "no event",
                expected=" -> ".join(EVENTS),
                advice=advice,
            )

    @gen_test
    async def test_drive_runs_the_story(self) -> None:
        drive, story = (getattr(self.subject, name, None) for name in ("drive", "story"))
        if not callable(drive) or not callable(story):
            raise InvalidSubmission("The check calls drive() and story(): both have to be there.")
        sent = "drive(story(events, ask))"
        try:
            drive(story(self.events, self.ask))
        except AttributeError as error:
            raise Mismatch(
                sent=sent,
                received=f"AttributeError: {error}",
                expected="the generator runs to its first yield",
                advice=NEXT,
            ) from None
        if self.events:
            await self.done.wait()
        last = self.events[-1] if self.events else ""
        advice = LOST if last is None else RESULT if isinstance(last, asyncio.Future) else SEND
        self.expect_story(sent, advice)
        if self.leaked:
            raise Mismatch(
                sent=sent,
                received=f"{type(self.leaked[0]).__name__} at the end of the story",
                expected="no exception: a generator raises it when it has ended",
                advice=END,
            )

    def test_get_has_the_same_story(self) -> None:
        answer = self.send("GET", "/")
        answer.expect(status=200, advice=GET)
        self.expect_story(answer.sent, GET)
        answer.expect(status=200, json={"events": EVENTS}, advice=WRITE)

    def test_no_driver_is_needed_any_more(self) -> None:
        def no_driver(*_: Any) -> None:
            raise AssertionError

        self.subject.drive = no_driver  # type: ignore[attr-defined]
        answer = self.send("GET", "/").expect(status=200, advice=NO_DRIVER)
        self.expect_story(answer.sent, NO_DRIVER)
