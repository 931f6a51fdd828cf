"""Check an exercise again whenever its file is saved."""

import contextlib
from collections.abc import Sequence

import watchfiles

from course import console, workspace
from course.catalog import Exercise
from course.checking.session import check_one
from course.progress import Progress
from course.translation import translate

# Milliseconds after which the file is looked at anyway, so that no save during a check is missed.
POLL_INTERVAL_MS = 1000


def watch_exercises(exercises: Sequence[Exercise], progress: Progress) -> None:
    """Check the first unsolved of `exercises` on every save until all are solved, or Ctrl-C."""
    with contextlib.suppress(KeyboardInterrupt):
        for exercise in exercises:
            if not progress.get(exercise.key).solved:
                _until_solved(exercise, progress)
        console.print_line(translate("\nAll solved."), fg="green")


def _until_solved(exercise: Exercise, progress: Progress) -> None:
    workspace.copy_stub(exercise)
    checked = None
    changes = watchfiles.watch(
        exercise.work_file.parent, rust_timeout=POLL_INTERVAL_MS, yield_on_timeout=True
    )
    while True:
        # An editor may write a new file and move it over the old one: for a moment there is none.
        saved = exercise.work_file.stat().st_mtime_ns if exercise.work_file.exists() else checked
        if saved != checked:
            checked = saved
            result = check_one(exercise, progress)
            if result.passed:
                return
            console.print_next_step(exercise)
            console.print_line(
                translate("\nWaiting for you to save the file. Ctrl-C ends this."), dim=True
            )
        next(changes)
