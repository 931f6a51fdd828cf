"""Check exercises, keep the outcome, and print it."""

from collections.abc import Sequence

from course import my_work, report
from course.catalog import Exercise
from course.checks import CheckResult, run_check
from course.progress import Progress


def check_one(exercise: Exercise, progress: Progress) -> CheckResult:
    """Check the learner's copy, made from the stub if need be; keep and print the outcome."""
    if my_work.start(exercise):
        report.say(f"Your copy of {exercise.label} is {report.relative(exercise.copy)}")
    result = run_check(exercise.check, exercise.copy)
    record = progress.of(exercise.key)
    record.tries += my_work.is_changed(exercise)
    record.solved = result.passed
    progress.write(exercise.key, record)
    report.outcome(exercise, result)
    return result


def check_all(exercises: Sequence[Exercise], progress: Progress) -> bool:
    """Check what is begun, tell more about the first that fails; return whether all pass.

    A lesson nobody has begun is not a wall of failures: of the stubs that are still as shipped,
    only the first to do next is checked.
    """
    failed: tuple[Exercise, CheckResult] | None = None
    left = False
    for exercise in exercises:
        if failed and not my_work.is_changed(exercise):
            my_work.start(exercise)
            report.outcome(exercise, None)
            left = True
            continue
        result = check_one(exercise, progress)
        if not result.passed:
            failed = failed or (exercise, result)
    if failed:
        report.details(*failed)
    elif not left:
        report.say("\nSolved." if len(exercises) == 1 else "\nAll solved.", "green")
    return failed is None and not left
