"""my_work/: the learner's copies of the exercise stubs.

The stubs under lessons/ do not change: a reset needs no version control, and a solved exercise does
not change files that the tests read.
"""

from pathlib import Path

from course.catalog import CatalogError, Exercise


def copy_stub(exercise: Exercise) -> bool:
    """Copy the stub of an exercise to the work file; return False if the work file exists.

    Raises:
        CatalogError: the course has no such stub.
    """
    if exercise.work_file.exists():
        return False
    if not exercise.stub.exists():
        raise CatalogError(f"{exercise.stub} is missing, but exercises.toml names it.")
    exercise.work_file.parent.mkdir(parents=True, exist_ok=True)
    exercise.work_file.write_bytes(exercise.stub.read_bytes())
    return True


def is_modified(exercise: Exercise) -> bool:
    """Return whether the work file exists and differs from the stub."""
    return (
        exercise.work_file.exists()
        and exercise.work_file.read_bytes() != exercise.stub.read_bytes()
    )


def reset(exercise: Exercise) -> Path | None:
    """Replace the work file by the stub; return the backup of a changed file, or None."""
    kept = None
    if is_modified(exercise):
        kept = backup_path(exercise.work_file)
        exercise.work_file.replace(kept)
    else:
        exercise.work_file.unlink(missing_ok=True)
    copy_stub(exercise)
    return kept


def backup_path(file: Path) -> Path:
    """Return an unused path for a backup, in the folder of the file."""
    # An earlier backup may be the only copy of a good solution, so no backup is overwritten.
    number = 1
    while (backup := file.with_name(f"{file.name}.bak{number}")).exists():
        number += 1
    return backup
