"""Progress of a class: a table from the .progress.json files of its learners.

    python -m scripts.class_progress FOLDER

FOLDER has a file for each learner, such as `ada.json`, or a folder such as `ada/.progress.json`.
The output has a row for each exercise: how many learners have tried and solved it, how many tries
and hints they needed on average, and who has not solved it yet. No other data of learners is read.
"""

import sys
from collections.abc import Mapping
from pathlib import Path

from course.catalog import Catalog
from course.progress import ExerciseProgress, read_records

ROOT = Path(__file__).resolve().parent.parent


def read_class(folder: Path) -> dict[str, dict[str, ExerciseProgress]]:
    """Return the records of each learner, by the name of the file or of its folder.

    The files are not changed, also if one of them cannot be read.

    Args:
        folder: the folder with the collected files.

    Raises:
        ValueError: a file is not one of progress; the message names it.
    """
    found = {}
    for path in sorted([*folder.glob("*.json"), *folder.glob("*/.progress.json")]):
        name = path.parent.name if path.name == ".progress.json" else path.stem
        try:
            found[name] = read_records(path.read_text(encoding="utf-8"))
        except (ValueError, TypeError, AttributeError) as error:
            message = f"{path} is damaged, or no .progress.json of a learner. Ask for it again."
            raise ValueError(message) from error
    return found


def summarize(
    learners: Mapping[str, Mapping[str, ExerciseProgress]], keys: list[tuple[str, str]]
) -> list[str]:
    """Return the lines of the table.

    Args:
        learners: the records of each learner.
        keys: key and label of each exercise, in the order of the course.
    """
    lines = [f"{'exercise':28} tried solved  tries  hints  not yet"]
    for key, label in keys:
        records = {name: each[key] for name, each in learners.items() if key in each}
        tried = [record for record in records.values() if record.tries or record.solved]
        solved = sum(record.solved for record in tried)
        open_for = [n for n, record in records.items() if record.tries and not record.solved]
        if tried:
            tries = sum(record.tries for record in tried) / len(tried)
            hints = sum(record.hints for record in tried) / len(tried)
            row = f"{label:28} {len(tried):5} {solved:6} {tries:6.1f} {hints:6.1f}"
            lines.append(f"{row}  {', '.join(open_for)}".rstrip())
    return lines


def main(folder: Path) -> int:
    """Print the table of a folder; return the exit code: 2 if there is nothing to read."""
    try:
        learners = read_class(folder)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    if not learners:
        print(f"{folder} has no file such as ada.json or ada/.progress.json.", file=sys.stderr)
        return 2
    exercises = [(each.key, each.label) for each in Catalog(ROOT).exercises()]
    print(f"{len(learners)} learners: {', '.join(learners)}", "", sep="\n")
    print(*summarize(learners, exercises), sep="\n")
    return 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("Write: python -m scripts.class_progress FOLDER")
    sys.exit(main(Path(sys.argv[1])))
