"""Check an exercise or a stage again whenever one of its files is saved."""

import contextlib
import functools
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NoReturn

import watchfiles

from course import console, workspace
from course.catalog import Exercise, Stage
from course.checking.session import check_one
from course.progress import Progress
from course.stages import SUFFIXES, start_stage
from course.translation import translate

# Milliseconds after which the files are examined without an event: a save during a check has none.
POLL_INTERVAL_MS = 1000


def watch_exercises(exercises: Sequence[Exercise], progress: Progress) -> None:
    """Check the first unsolved exercise on every save, until all are solved or Ctrl-C."""
    with _ended_by_interrupt() as interrupted:
        for exercise in exercises:
            if not progress.get(exercise.key).solved:
                workspace.copy_stub(exercise)
                check = functools.partial(_check_exercise, exercise, progress)
                _check_until_passed(exercise.work_file, check, interrupted)
        console.print_line(translate("\nAll solved."), fg="green")


def watch_stage(stage: Stage, check: Callable[[], bool]) -> None:
    """Check the learner's version of a stage on every save, until it passes or Ctrl-C.

    Args:
        stage: it is started if the learner has no version yet.
        check: checks, prints the result, and returns whether all tests pass.
    """
    with _ended_by_interrupt() as interrupted:
        if start_stage(stage):
            console.print_stage_start(stage, new=True)
        _check_until_passed(stage.work_folder, check, interrupted)


@contextlib.contextmanager
def _ended_by_interrupt() -> Iterator[threading.Event]:
    """End the block quietly at SIGINT or SIGTERM; yield the event that the signal sets.

    Python discards an exception that is raised inside a destructor or a callback of `weakref`, also
    the one of a signal handler. So the handler sets an event, too, which a loop can check.
    """
    interrupted = threading.Event()

    def interrupt(*_: object) -> NoReturn:
        interrupted.set()
        raise KeyboardInterrupt

    before = {each: signal.signal(each, interrupt) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        with contextlib.suppress(KeyboardInterrupt):
            yield interrupted
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _check_exercise(exercise: Exercise, progress: Progress) -> bool:
    result = check_one(exercise, progress)
    if not result.passed:
        console.print_next_step(exercise)
    return result.passed


def _check_until_passed(
    path: Path, check: Callable[[], bool], interrupted: threading.Event
) -> None:
    checked: dict[Path, int] = {}
    folder = path if path.is_dir() else path.parent
    changes = watchfiles.watch(folder, rust_timeout=POLL_INTERVAL_MS, yield_on_timeout=True)
    while True:
        # Some editors delete the file and write it again, so it may be missing for a moment.
        saved = _read_times(path)
        if saved and saved != checked:
            checked = saved
            if check():
                return
            console.print_line(
                translate("\nWaiting for you to save the file. Ctrl-C ends this."), dim=True
            )
        if interrupted.is_set():
            raise KeyboardInterrupt
        next(changes)


def _read_times(path: Path) -> dict[Path, int]:
    """Return when the file, or each file of a stage, was saved; data do not count."""
    files = [file for file in path.rglob("*") if file.suffix in SUFFIXES] or [path]
    times = {}
    for file in files:
        with contextlib.suppress(FileNotFoundError):
            times[file] = file.stat().st_mtime_ns
    return times
