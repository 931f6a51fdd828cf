"""Stores that are up, that refuse, that hang; whoever asks gets an answer that names them."""

import asyncio
from collections.abc import Awaitable, Callable

import tornado.web

from course.exercise_case import ExerciseCase

PATIENCE = 0.3  # seconds
ALL_UP = "every check has returned: 200, and 'up' for each name"
RAISED = "a check that raises is a store that is down: gather(..., return_exceptions=True)"
HANGS = "asyncio.wait_for(check(), patience) raises TimeoutError: that store is down too"
AT_ONCE = "start all checks, then wait for all: asyncio.gather(*(... for check in checks.values()))"
AGAIN = "ask anew for every request: a store that is back is up"


async def up() -> bool:
    return True


async def refused() -> None:
    raise ConnectionRefusedError("nobody listens there")


async def hangs() -> None:
    await asyncio.Event().wait()


class HealthPage(ExerciseCase):
    def get_app(self) -> tornado.web.Application:
        self.checks: dict[str, Callable[[], Awaitable[object]]] = {}
        # Filled by the tests: not empty, or the file would take its own.
        self.checks["files"] = up
        return self.make_app(self.checks, PATIENCE)

    def expect_health(self, status: int, look: str, **states: str) -> None:
        answer = self.send("GET", "/health")
        answer.expect(status=status, json={"files": "up", **states}, look=look)

    def test_all_are_up(self) -> None:
        self.checks |= {"redis": up, "mysql": up}
        self.expect_health(200, ALL_UP, redis="up", mysql="up")

    def test_one_refuses(self) -> None:
        self.checks |= {"redis": refused, "mysql": up}
        self.expect_health(503, RAISED, redis="down", mysql="up")

    def test_one_hangs(self) -> None:
        self.checks |= {"redis": up, "mysql": hangs}
        self.expect_health(503, HANGS, redis="up", mysql="down")

    def test_several_are_asked_at_once(self) -> None:
        # Each answers only when the others have been asked too.
        all_asked = asyncio.Barrier(3)

        async def together() -> None:
            await all_asked.wait()

        self.checks |= {"redis": together, "mysql": together, "mongo": together}
        self.expect_health(200, AT_ONCE, redis="up", mysql="up", mongo="up")

    def test_a_store_that_comes_back_is_up(self) -> None:
        self.checks["redis"] = refused
        self.expect_health(503, RAISED, redis="down")
        self.checks["redis"] = up
        self.expect_health(200, AGAIN, redis="up")
