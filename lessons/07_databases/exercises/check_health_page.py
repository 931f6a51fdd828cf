"""Stores that are up, that raise, that do not answer: the page names each, and leaves no task."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import ClassVar

import tornado.web

from course.testing.http import ExerciseCase, Mismatch, Response

PATIENCE = 0.2  # seconds
ALL_UP = "A check that returns is a store that is up, whatever it returns, None too."
RAISED = (
    "A check that raises, with any exception, is a store that is down. Catch Exception around it, "
    "or use gather(..., return_exceptions=True) and look at each result."
)
HANGS = (
    "A check that does not return within patience seconds is a store that is down:\n"
    "await asyncio.wait_for(check(), patience) raises TimeoutError."
)
STATUS = "The states are right. If one of them is down, call self.set_status(503) before write()."
BODY = (
    "The client also needs the names when one store is down: self.set_status(503), then "
    "self.write(states). HTTPError(503) and send_error(503) make an error page instead."
)
AT_ONCE = (
    "Each of these checks returns as soon as all three have been called. Start all of them, then "
    "wait for all: asyncio.gather(*(... for check in checks.values()))."
)
OTHERS = "Only the store that does not answer is down. Give each check a timeout of its own."
CANCEL = (
    "A check that you stop waiting for has to end. asyncio.wait_for() cancels it; after "
    "asyncio.wait() call task.cancel() for each pending task; asyncio.shield() prevents it."
)
AGAIN = "Call the checks for every request: a store that answers again is up."

Check = Callable[[], Awaitable[object]]


async def up() -> None:
    return


async def answers() -> bool:
    return True  # as the ping() of Redis


async def refused() -> None:
    raise ConnectionRefusedError("nobody listens there")


class HealthPage(ExerciseCase):
    response_timeout: ClassVar[float] = 1.0

    def get_app(self) -> tornado.web.Application:
        self.checks: dict[str, Check] = {"redis": answers, "mysql": up, "mongo": up}
        self.running = 0
        # Each calls the check of the moment: the application may keep the dictionary, or copy it.
        checks = {name: self.check(name) for name in self.checks}
        return self.make_app(checks, PATIENCE)

    def check(self, name: str) -> Check:
        async def call() -> object:
            return await self.checks[name]()

        return call

    async def hangs(self) -> None:
        self.running += 1
        try:
            await asyncio.Event().wait()
        finally:
            self.running -= 1

    def expect_health(self, advice: str, **down: Check) -> Response:
        """Ask, while these stores are down; the others are up."""
        self.checks |= down
        states = {name: "down" if name in down else "up" for name in self.checks}
        answer = self.send("GET", "/health")
        if down and answer.status == 503 and _states(answer) is None:
            advice = BODY
        elif answer.status != 500 and _states(answer) == states:
            advice = STATUS
        return answer.expect(status=503 if down else 200, json=states, advice=advice)

    def test_all_are_up(self) -> None:
        self.expect_health(ALL_UP)

    def test_one_raises(self) -> None:
        self.expect_health(RAISED, redis=refused)

    def test_one_does_not_answer(self) -> None:
        self.checks["mysql"] = self.hangs
        answer = self.send("GET", "/health")
        states = _states(answer) or {}
        advice = OTHERS if states.get("redis") == "down" else HANGS
        answer.expect(json={"redis": "up", "mysql": "down", "mongo": "up"}, advice=advice)
        answer.expect(status=503, advice=STATUS)
        self.io_loop.run_sync(self.given_up)
        if self.running:
            raise Mismatch(
                sent=f"{answer.sent}\nthe check of mysql does not return",
                received="the right answer; but the check still runs after it",
                expected="the check is cancelled",
                advice=CANCEL,
            )

    async def given_up(self) -> None:
        """Wait a moment for the cancelled check to end."""
        for _ in range(20):
            if not self.running:
                return
            await asyncio.sleep(0.01)

    def test_all_are_asked_at_the_same_time(self) -> None:
        all_asked = asyncio.Barrier(3)

        async def together() -> None:
            await all_asked.wait()

        self.checks |= {"redis": together, "mysql": together, "mongo": together}
        self.expect_health(AT_ONCE)

    def test_a_store_that_answers_again_is_up(self) -> None:
        self.expect_health(RAISED, redis=refused)
        self.checks["redis"] = answers
        self.expect_health(AGAIN)


def _states(answer: Response) -> dict[str, object] | None:
    """The names and states of an answer, if it is a JSON object."""
    try:
        found = answer.json(advice=BODY)
    except Mismatch:
        return None
    return found if isinstance(found, dict) else None
