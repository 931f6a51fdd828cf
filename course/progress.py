"""The learner's progress: a JSON file beside learn.py, outside version control."""

import json
import os
import threading
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass
class ExerciseProgress:
    """Progress on one exercise.

    Attributes:
        tries: how often the learner's file was checked after a change of the stub.
        hints: the number of hints shown.
        solved: whether the last check passed.
    """

    tries: int = 0
    hints: int = 0
    solved: bool = False


class Progress:
    """The records of all exercises, by `Exercise.key`.

    Args:
        path: the JSON file, which may be missing.

    Attributes:
        corrupt_copy: the path to which an unreadable file was moved, or None. The learner's work
            files are not affected.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.corrupt_copy: Path | None = None
        self._lock = threading.Lock()  # checks of the tour run in threads

    def read(self) -> dict[str, ExerciseProgress]:
        """Return all records; an empty dictionary if the file is missing or damaged."""
        try:
            text = self.path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return {}
        except UnicodeDecodeError:
            text = ""
        try:
            found = read_records(text)
        except (ValueError, TypeError, AttributeError):
            self.corrupt_copy = self.path.with_suffix(".json.broken")
            self.path.replace(self.corrupt_copy)
            return {}
        return found

    def get(self, key: str) -> ExerciseProgress:
        """Return the record of one exercise; a new one if there is none."""
        return self.read().get(key, ExerciseProgress())

    def write(self, key: str, record: ExerciseProgress | None) -> None:
        """Store the record of one exercise; None deletes it."""
        with self._lock:
            self._write(key, record)

    def _write(self, key: str, record: ExerciseProgress | None) -> None:
        records = self.read()
        records.pop(key, None)
        if record is not None:
            records[key] = record
        text = json.dumps({key: asdict(records[key]) for key in sorted(records)}, indent=1)
        # A rename is atomic: another process reads the old file or the new one, never a part of it.
        fresh = self.path.with_name(f"{self.path.name}.{os.getpid()}")
        try:
            fresh.write_text(text + "\n", encoding="utf-8")
            fresh.replace(self.path)
        finally:
            fresh.unlink(missing_ok=True)


def read_records(text: str) -> dict[str, ExerciseProgress]:
    """Return the records in the text of a file of progress.

    Raises:
        ValueError, TypeError, AttributeError: the text is not that of such a file.
    """
    return {key: _parse(value) for key, value in json.loads(text).items()}


def _parse(value: dict[str, object]) -> ExerciseProgress:
    record = ExerciseProgress(**value)  # type: ignore[arg-type]  # a TypeError for unknown names
    if [type(field) for field in asdict(record).values()] != [int, int, bool]:
        raise TypeError(f"not a record: {value}")
    return record
