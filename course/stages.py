"""The stages of a lesson that builds one program: start from a stage, check your own version.

my_work/10_build_the_chat/stage_04/   the learner's copy of stage 3, to be made stage 4
"""

import difflib
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from course.catalog import Stage
from course.translation import translate
from course.workspace import backup_path

ROOT = Path(__file__).resolve().parent.parent
TIMEOUT = 300
"""Seconds that all tests of a stage and of those before may take."""
SUFFIXES = (".py", ".html", ".js", ".css", ".conf")
"""The ends of the names of the files that a learner writes."""
NOT_COPIED = shutil.ignore_patterns("__pycache__", "chat.db*", "README.md", "test_stage.py")


@dataclass(frozen=True)
class StageFailure:
    """A test that has failed.

    Attributes:
        stage: the number of the stage to which the test belongs.
        test: its name.
        message: the line of the test that failed, and the first line of the exception.
        traceback: all of it.
    """

    stage: int
    test: str
    message: str
    traceback: str


@dataclass(frozen=True)
class StageResult:
    """The result of the tests; `problem` is the reason why they could not run, or ""."""

    tests: int
    failures: tuple[StageFailure, ...]
    problem: str = ""

    @property
    def passed(self) -> bool:
        """Whether all tests have passed."""
        return bool(self.tests) and not self.failures and not self.problem


def start_stage(stage: Stage) -> bool:
    """Copy the previous stage to the learner's folder; return False if that folder exists.

    The first stage has no previous one and is copied itself.
    """
    if stage.work_folder.exists():
        return False
    shutil.copytree(stage.previous or stage.folder, stage.work_folder, ignore=NOT_COPIED)
    return True


def reset_stage(stage: Stage) -> Path | None:
    """Start a stage again; return where the learner's version is kept, None if there was none."""
    kept = None
    if stage.work_folder.exists():
        kept = backup_path(stage.work_folder)
        stage.work_folder.rename(kept)
    start_stage(stage)
    return kept


def check_stage(stage: Stage, folder: Path) -> StageResult:
    """Run the tests of a stage and of all stages before it on the chat in a folder."""
    # -B: if a file is saved twice within a second, Python would use the old bytecode.
    worker = [sys.executable, "-B", "-m", "course.stage_worker"]
    command = [*worker, str(folder), *map(str, stage.tests)]
    try:
        done = subprocess.run(
            command,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=TIMEOUT,
            check=False,
        )
        report = json.loads(done.stdout)
    except subprocess.TimeoutExpired:
        problem = translate("The tests still run after {seconds} seconds.", seconds=TIMEOUT)
        return StageResult(0, (), problem)
    except ValueError:
        return StageResult(0, (), done.stderr.strip()[-2000:])
    failures = tuple(
        StageFailure(
            stage=int(Path(each["file"]).parent.name.removeprefix("stage_")),
            test=each["test"],
            message=each["message"],
            traceback=each["traceback"],
        )
        for each in report["failures"]
    )
    return StageResult(report["tests"], failures)


def source_files(folder: Path) -> dict[str, str]:
    """Return the files of a stage that a learner writes, by their name in its folder."""
    return {
        path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8")
        for path in sorted(folder.rglob("*"))
        if path.suffix in SUFFIXES and path.name != "test_stage.py"
    }


def diff_files(old: Path | None, new: Path, context: int = 3) -> Iterator[tuple[str, list[str]]]:
    """Yield each file that differs between two folders, with the lines of its diff.

    Args:
        old: the folder before, or None if all is new.
        new: the folder after.
        context: how many unchanged lines are around each change.
    """
    before, after = source_files(old) if old else {}, source_files(new)
    for name in sorted({*before, *after}):
        lines = difflib.unified_diff(
            before.get(name, "").splitlines(),
            after.get(name, "").splitlines(),
            name if name in before else "/dev/null",
            name if name in after else "/dev/null",
            lineterm="",
            n=context,
        )
        if diff := list(lines):
            yield name, diff
