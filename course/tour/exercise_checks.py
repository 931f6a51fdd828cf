"""Checks of exercises for the pages, which get each failure as soon as it is known."""

import asyncio
import functools
import threading
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any

from course import workspace
from course.catalog import Exercise
from course.checking.runner import CheckCancelledError, CheckResult, Failure, SpareWorker
from course.checking.session import check_work_file
from course.console import cause_of, without_advice
from course.progress import Progress
from course.tour.text import describe_exercise

Broadcast = Callable[..., None]


class Checks:
    """Runs one check at a time; a newer one cancels an older one.

    The process for the next check is started in advance, so that its first result comes sooner.

    Args:
        progress: the learner's progress.
        executor: where checks run, so that the event loop stays free.
        broadcast: sends a message to all pages.
    """

    def __init__(self, progress: Progress, executor: Executor, broadcast: Broadcast) -> None:
        self._progress = progress
        self._executor = executor
        self._broadcast = broadcast
        self._cancelled = threading.Event()
        self._task: asyncio.Task[None] | None = None
        self._spare: SpareWorker | None = None

    def prepare(self) -> None:
        """Start the process for the next check; a check will come soon."""
        if not self._spare:
            self._spare = SpareWorker()

    def start(self, exercise: Exercise) -> None:
        """Start a check; its results are sent to all pages."""
        self._cancelled.set()
        self._cancelled = threading.Event()
        self._broadcast(type="check.started", label=exercise.label)
        self._task = asyncio.create_task(self._check(exercise, self._cancelled, self._task))

    async def close(self) -> None:
        """Cancel the check that runs."""
        self._cancelled.set()
        if self._task:
            await self._task
        if self._spare:
            self._spare.close()

    async def _check(
        self, exercise: Exercise, cancelled: threading.Event, earlier: asyncio.Task[None] | None
    ) -> None:
        if earlier:
            await earlier  # it ends soon, and must not write its result after this one
        loop = asyncio.get_running_loop()
        advises = workspace.is_modified(exercise)
        causes: set[str] = set()

        def on_failure(failure: Failure) -> None:
            message = failure.message if advises else without_advice(failure.message)
            if cancelled.is_set() or (cause := cause_of(message)) in causes:
                return
            causes.add(cause)
            fields = {"test": failure.test, "message": message, "line": failure.line}
            send = functools.partial(
                self._broadcast, type="check.failure", label=exercise.label, **fields
            )
            loop.call_soon_threadsafe(send)

        spare, self._spare = self._spare, None
        check = functools.partial(
            check_work_file,
            exercise,
            self._progress,
            on_failure=on_failure,
            cancelled=cancelled,
            start=spare.start if spare else None,
        )
        try:
            result = await loop.run_in_executor(self._executor, check)
        except CheckCancelledError:
            return
        finally:
            self.prepare()
        self._broadcast(
            type="check.ended", label=exercise.label, **self._describe(exercise, result)
        )

    def _describe(self, exercise: Exercise, result: CheckResult) -> dict[str, Any]:
        problem = result.problem
        return {
            "passed": result.passed,
            "tests": result.tests,
            "failed": len({failure.test for failure in result.failures}),
            "not_run": result.not_run,
            "seconds": round(result.seconds, 2),
            "problem": problem
            and {
                "kind": problem.kind,
                "message": problem.message,
                "line": problem.line if problem.file == exercise.work_file.resolve() else None,
                "text": problem.text,
            },
            "output": result.output,
            "state": describe_exercise(exercise, self._progress.read())["state"],
        }
