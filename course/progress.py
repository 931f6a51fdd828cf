"""What the learner has done so far: a small JSON file beside learn.py, outside version control."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass
class ExerciseProgress:
    """One exercise: how often a changed copy was checked, hints shown, the last check's outcome."""

    tries: int = 0
    hints: int = 0
    solved: bool = False


class Progress:
    """The records of all exercises, by `Exercise.key`.

    Args:
        path: the JSON file; it need not exist.

    Attributes:
        corrupt_copy: where an unreadable file was moved, or None. Nothing else is lost with it: the
            learner's own files are elsewhere.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.corrupt_copy: Path | None = None

    def read(self) -> dict[str, ExerciseProgress]:
        """Return all records; none for a file that is missing or broken."""
        try:
            text = self.path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return {}
        except UnicodeDecodeError:
            text = ""
        try:
            found = {key: _parse(value) for key, value in json.loads(text).items()}
        except (ValueError, TypeError, AttributeError):
            self.corrupt_copy = self.path.with_suffix(".json.broken")
            self.path.replace(self.corrupt_copy)
            return {}
        return found

    def get(self, key: str) -> ExerciseProgress:
        """Return the record of one exercise, a fresh one when there is none."""
        return self.read().get(key, ExerciseProgress())

    def write(self, key: str, record: ExerciseProgress | None) -> None:
        """Keep the record of one exercise; None forgets it."""
        records = self.read()
        records.pop(key, None)
        if record is not None:
            records[key] = record
        text = json.dumps({key: asdict(records[key]) for key in sorted(records)}, indent=1)
        # Written beside and moved over: a reader sees the old file or the new one, never half.
        fresh = self.path.with_name(f"{self.path.name}.{os.getpid()}")
        try:
            fresh.write_text(text + "\n", encoding="utf-8")
            fresh.replace(self.path)
        finally:
            fresh.unlink(missing_ok=True)


def _parse(value: dict[str, object]) -> ExerciseProgress:
    record = ExerciseProgress(**value)  # type: ignore[arg-type]  # a TypeError for unknown names
    if [type(field) for field in asdict(record).values()] != [int, int, bool]:
        raise TypeError(f"not a record: {value}")
    return record
