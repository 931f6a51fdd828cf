"""my_work/: the learner's copies of the exercise stubs.

The stubs under lessons/ stay as they were shipped, so that a reset needs no version control and
solving an exercise does not change what the tests look at.
"""

from pathlib import Path

from course.catalog import CatalogError, Exercise


def copy_stub(exercise: Exercise) -> bool:
    """Copy the stub to where the learner works on it; return False when that was done before.

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
    """Whether the learner has begun: the copy is there and differs from the stub."""
    return (
        exercise.work_file.exists()
        and exercise.work_file.read_bytes() != exercise.stub.read_bytes()
    )


def reset(exercise: Exercise) -> Path | None:
    """Put the stub back; return where the learner's version is kept, None when it was unchanged."""
    kept = None
    if is_modified(exercise):
        kept = backup_path(exercise.work_file)
        exercise.work_file.replace(kept)
    else:
        exercise.work_file.unlink(missing_ok=True)
    copy_stub(exercise)
    return kept


def backup_path(file: Path) -> Path:
    """Return a name beside a file under which it can be kept; no earlier backup has it."""
    # An earlier backup may be the only copy of a good solution: it is never written over.
    number = 1
    while (backup := file.with_name(f"{file.name}.bak{number}")).exists():
        number += 1
    return backup
