"""Check exercises, store the results, and print them."""

import threading
from collections.abc import Callable, Sequence

from course import console, workspace
from course.catalog import Exercise
from course.checking.runner import CheckResult, Failure, StartWorker, run_check
from course.progress import Progress
from course.translation import translate


def prepare(exercise: Exercise) -> None:
    """Copy the stub to my_work/ unless the work file exists; print where the copy is."""
    if workspace.copy_stub(exercise):
        where = console.relative_path(exercise.work_file)
        console.print_line(translate("Copied {label} to {file}", label=exercise.label, file=where))


def check_work_file(
    exercise: Exercise,
    progress: Progress,
    *,
    on_failure: Callable[[Failure], None] | None = None,
    cancelled: threading.Event | None = None,
    start: StartWorker | None = None,
) -> CheckResult:
    """Check the learner's work file, copied from the stub if missing; store the result.

    The arguments are those of `run_check`.

    Raises:
        CheckCancelledError: `cancelled` was set before the end of the check.
    """
    workspace.copy_stub(exercise)
    result = run_check(
        exercise.check,
        exercise.work_file,
        on_failure=on_failure,
        cancelled=cancelled,
        start=start,
    )
    record = progress.get(exercise.key)
    record.tries += workspace.is_modified(exercise)
    record.solved = result.passed
    progress.write(exercise.key, record)
    return result


def next_hint(exercise: Exercise, progress: Progress) -> int:
    """Return the number of the next hint, counted from 1, and store that it was shown.

    After the last hint it is the last one again. The stored number does not change any more when
    the exercise is solved.
    """
    record = progress.get(exercise.key)
    number = min(record.hints + 1, len(exercise.hints))
    if not record.solved:
        record.hints = number
        progress.write(exercise.key, record)
    return number


def check_one(exercise: Exercise, progress: Progress, *, details: bool = True) -> CheckResult:
    """Check the learner's work file, copied from the stub if missing; store and print the result.

    With `details` each failure is printed as soon as it is known.
    """
    prepare(exercise)
    printer = console.FailurePrinter(exercise)
    on_failure = printer.print_failure if details else None
    result = check_work_file(exercise, progress, on_failure=on_failure)
    if details and not result.passed:
        printer.print_end(result)
    else:
        console.print_result(exercise, result)
    return result


def check_all(exercises: Sequence[Exercise], progress: Progress) -> bool:
    """Check the exercises in order, with details of the first failure; return whether all pass.

    After the first failure, exercises whose stub is unchanged are not checked.
    """
    failed: Exercise | None = None
    skipped = False
    for exercise in exercises:
        if failed and not workspace.is_modified(exercise):
            prepare(exercise)
            console.print_result(exercise, None)
            skipped = True
            continue
        result = check_one(exercise, progress, details=failed is None)
        if not result.passed:
            failed = failed or exercise
    if failed:
        console.print_next_step(failed)
    elif not skipped:
        solved = "Solved." if len(exercises) == 1 else "All solved."
        console.print_line("\n" + translate(solved), fg="green")
        if len(exercises) == 1:
            console.print_comparison(exercises[0])
    return failed is None and not skipped
