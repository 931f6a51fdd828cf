"""Check exercises, keep the outcome, and print it."""

from collections.abc import Sequence

from course import my_work, report
from course.catalog import Exercise
from course.checks import CheckResult, run_check
from course.progress import Progress
from course.translation import translate


def begin(exercise: Exercise) -> None:
    """Copy the stub to my_work/ unless it was copied before, and say so."""
    if my_work.start(exercise):
        where = report.relative(exercise.copy)
        report.say(translate("Copied {label} to {file}", label=exercise.label, file=where))


def check_one(exercise: Exercise, progress: Progress, *, details: bool = True) -> CheckResult:
    """Check the learner's copy, made from the stub if need be; keep and print the outcome.

    With `details` each failure is printed as soon as it is known.
    """
    begin(exercise)
    shown = report.Details(exercise)
    on_failure = shown.failure if details else None
    result = run_check(exercise.check, exercise.copy, on_failure=on_failure)
    record = progress.of(exercise.key)
    record.tries += my_work.is_changed(exercise)
    record.solved = result.passed
    progress.write(exercise.key, record)
    if details and not result.passed:
        shown.end(result)
    else:
        report.outcome(exercise, result)
    return result


def check_all(exercises: Sequence[Exercise], progress: Progress) -> bool:
    """Check what is begun, with details of the first that fails; return whether all pass.

    Of the stubs that are still as shipped, only the first one that has to be done next is checked.
    """
    failed: Exercise | None = None
    left = False
    for exercise in exercises:
        if failed and not my_work.is_changed(exercise):
            begin(exercise)
            report.outcome(exercise, None)
            left = True
            continue
        result = check_one(exercise, progress, details=failed is None)
        if not result.passed:
            failed = failed or exercise
    if failed:
        report.what_next(failed)
    elif not left:
        solved = "Solved." if len(exercises) == 1 else "All solved."
        report.say("\n" + translate(solved), fg="green")
    return failed is None and not left
