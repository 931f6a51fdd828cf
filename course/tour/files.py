"""The files that the editor shows: scripts of the lessons, their copies, and exercises.

    script:01/app                    a script of a lesson
    script:10/4/static/chat.js       another file of a lesson or stage
    exercise:01/allow_head           the learner's copy of an exercise

A file is found through the catalog, never by a path that a page sends. A script can be changed
only in a copy of its lesson, my_work/01_hello/tour/01_hello; an exercise in the file of
`learn.py check`.
"""

import contextlib
import hashlib
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import watchfiles

from course import workspace
from course.catalog import Catalog, Exercise, Lesson, UnknownNameError
from course.demo import make_changed_copy
from course.translation import translate

STEP_MS = 20
"""Milliseconds that a change may be waited for after another one."""
POLL_INTERVAL_MS = 1000
"""Milliseconds after which a file is looked at without an event: network folders send none."""
LANGUAGES = {
    ".py": "python",
    ".html": "html",
    ".js": "javascript",
    ".css": "css",
    ".json": "json",
    ".toml": "toml",
    ".conf": "text",
    ".cfg": "text",
    ".ini": "text",
    ".txt": "text",
    ".csv": "text",
    ".svg": "html",
    ".md": "text",
    ".service": "text",
    ".sql": "text",
}
"""The language of the editor for the files that it shows, by the end of the name."""
MAX_BYTES = 512 * 1024
"""Size up to which a file is shown and saved."""
HIDDEN = {"exercises", "__pycache__"}
"""Folders of a lesson whose files are not shown: the exercises have their solutions there."""


class FileRefusedError(Exception):
    """A file cannot be shown or saved; the message says why."""


class ChangedOnDiskError(Exception):
    """The file was changed by another program since the page has read it."""

    def __init__(self, current: "FileState") -> None:
        super().__init__(translate("The file was changed by another program."))
        self.current = current


@dataclass(frozen=True)
class CourseFile:
    """A file of the course that the tour can show.

    Attributes:
        id: the name under which pages know the file.
        original: the file as it is shipped.
        work_file: where the learner's copy is, or would be.
        lesson: the lesson that the file belongs to.
        exercise: the exercise, or None for a script.
    """

    id: str
    original: Path
    work_file: Path
    lesson: Lesson
    exercise: Exercise | None = None

    @property
    def editable(self) -> bool:
        """Whether the learner's copy exists, or is made when it is needed."""
        return self.exercise is not None or self.work_file.exists()

    @property
    def current(self) -> Path:
        """The file that is shown and run: the learner's copy if it exists."""
        return self.work_file if self.work_file.exists() else self.original


@dataclass(frozen=True)
class FileState:
    """A file with its content at one moment."""

    file: CourseFile
    text: str
    etag: str

    def fields(self, root: Path) -> dict[str, object]:
        """Return the fields of the answer to a page."""
        return {
            "id": self.file.id,
            "text": self.text,
            "etag": self.etag,
            "path": self.file.current.relative_to(root).as_posix(),
            "editable": self.file.editable,
            "changed": etag_of(self.file.original.read_bytes()) != self.etag,
        }


def etag_of(content: bytes) -> str:
    """Return the entity tag of a content: its SHA-256, in quotation marks (RFC 9110, 8.8.3)."""
    return f'"{hashlib.sha256(content).hexdigest()}"'


def find_file(catalog: Catalog, file_id: str) -> CourseFile:
    """Return the file of an id.

    Raises:
        UnknownNameError: there is no such file.
    """
    kind, _, label = file_id.partition(":")
    if kind == "exercise":
        for exercise in catalog.exercises():
            if exercise.label == label:
                lesson = catalog.lesson(exercise.lesson)
                return CourseFile(file_id, exercise.stub, exercise.work_file, lesson, exercise)
    elif kind == "script":
        number, _, name = label.partition("/")
        for lesson in catalog.lessons:
            if lesson.number == number and (path := _find_in_lesson(lesson, label, name)):
                work_file = copy_folder(lesson) / path.relative_to(lesson.folder)
                return CourseFile(file_id, path, work_file, lesson)
    raise UnknownNameError(translate("There is no file {name}.", name=file_id))


def _find_in_lesson(lesson: Lesson, label: str, name: str) -> Path | None:
    for script in lesson.scripts:
        if script.label == label:
            return script.path
    parts = PurePosixPath(name).parts
    folder = lesson.folder
    stage = parts[0] if parts else ""
    for each in lesson.stages:
        if str(each.number) == stage:
            folder, parts = each.folder, parts[1:]
    path = folder.joinpath(*parts)
    is_shown = path.suffix in LANGUAGES and not HIDDEN.intersection(parts) and path.is_file()
    # A name such as ../../secret.py, an absolute path, and a link that leads out of the lesson.
    is_inside = path.resolve().is_relative_to(lesson.folder.resolve())
    return path if parts and ".." not in parts and is_shown and is_inside else None


def copy_folder(lesson: Lesson) -> Path:
    """Return the folder of the copy of a lesson in which its scripts can be changed."""
    return lesson.work_folder / "tour" / lesson.name


def make_copy(file: CourseFile) -> None:
    """Make the copy that can be changed, unless it exists: of an exercise, or of a whole lesson."""
    if file.exercise:
        workspace.copy_stub(file.exercise)
        return
    folder = copy_folder(file.lesson)
    if not folder.exists():
        make_changed_copy(file.lesson.folder, (), folder.parent)
    elif not file.work_file.exists():
        _write(file.work_file, file.original.read_bytes())


def reset(file: CourseFile) -> Path | None:
    """Put the original back; return where the learner's version is kept, or None if none was."""
    if file.exercise:
        return workspace.reset(file.exercise)
    if not file.work_file.exists():
        return None
    kept = None
    if file.work_file.read_bytes() != file.original.read_bytes():
        kept = workspace.backup_path(file.work_file)
        file.work_file.replace(kept)
    _write(file.work_file, file.original.read_bytes())
    return kept


def read(file: CourseFile) -> FileState:
    """Return a file with its content; an exercise is copied first.

    Raises:
        FileRefusedError: the file is too large, or no text.
    """
    if file.exercise:
        make_copy(file)
    content = file.current.read_bytes()
    if len(content) > MAX_BYTES:
        raise FileRefusedError(translate("The file is too large for the editor."))
    try:
        return FileState(file, content.decode("utf-8"), etag_of(content))
    except UnicodeDecodeError:
        raise FileRefusedError(translate("The file is no text in UTF-8.")) from None


def save(file: CourseFile, text: str, etag: str) -> str:
    """Save a text, if the file is still the one that the page has read.

    Args:
        file: the file.
        text: the new content.
        etag: the entity tag of the content that the page has read.

    Returns:
        The new entity tag.

    Raises:
        ChangedOnDiskError: the file has another content by now.
        FileRefusedError: the file cannot be changed, or the text is too large.
    """
    if not file.editable:
        raise FileRefusedError(translate("Make a copy first: lessons are not changed."))
    content = text.encode("utf-8", "surrogatepass")
    if len(content) > MAX_BYTES:
        raise FileRefusedError(translate("The text is too large for the editor."))
    current = read(file)
    if current.etag != etag:
        raise ChangedOnDiskError(current)
    _write(file.work_file, content)
    return etag_of(content)


async def follow(file: CourseFile) -> AsyncIterator[str]:
    """Yield the entity tag of a file, and that of each other content that it gets."""
    # At once, because the file may have changed since the page has read it.
    yield (seen := _etag_on_disk(file))
    while True:
        path = file.current
        changes = watchfiles.awatch(
            path.parent,
            recursive=False,
            step=STEP_MS,
            rust_timeout=POLL_INTERVAL_MS,
            yield_on_timeout=True,
        )
        async with contextlib.aclosing(changes):
            async for _ in changes:
                # Some editors delete the file and write it again.
                if (etag := _etag_on_disk(file)) and etag != seen:
                    seen = etag
                    yield etag
                if file.current != path:
                    break


def _etag_on_disk(file: CourseFile) -> str:
    try:
        return etag_of(file.current.read_bytes())
    except OSError:
        return ""


def _write(path: Path, content: bytes) -> None:
    """Write a file so that a program that reads it sees the old content or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        fresh.write_bytes(content)
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)
