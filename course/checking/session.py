"""Check exercises, store the results, and print them."""

from collections.abc import Sequence

from course import console, workspace
from course.catalog import Exercise
from course.checking.runner import CheckResult, run_check
from course.progress import Progress
from course.translation import translate


def prepare(exercise: Exercise) -> None:
    """Copy the stub to my_work/ unless it was copied before, and say so."""
    if workspace.copy_stub(exercise):
        where = console.relative_path(exercise.work_file)
        console.print_line(translate("Copied {label} to {file}", label=exercise.label, file=where))


def check_one(exercise: Exercise, progress: Progress, *, details: bool = True) -> CheckResult:
    """Check the learner's copy, made from the stub if need be; store and print the result.

    With `details` each failure is printed as soon as it is known.
    """
    prepare(exercise)
    printer = console.FailurePrinter(exercise)
    on_failure = printer.print_failure if details else None
    result = run_check(exercise.check, exercise.work_file, on_failure=on_failure)
    record = progress.get(exercise.key)
    record.tries += workspace.is_modified(exercise)
    record.solved = result.passed
    progress.write(exercise.key, record)
    if details and not result.passed:
        printer.print_end(result)
    else:
        console.print_result(exercise, result)
    return result


def check_all(exercises: Sequence[Exercise], progress: Progress) -> bool:
    """Check what is begun, with details of the first that fails; return whether all pass.

    Of the stubs that are still as shipped, only the first one that has to be done next is checked.
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
    return failed is None and not skipped
