"""The commands of the pages that the tour can run, and the files that a page shows.

A session is called `01/2/0`: the first one of the page `/01/2`.
"""

from pathlib import Path
from typing import Any

from course.catalog import Catalog, Lesson
from course.demo import BREAK_COMMAND, RUN_COMMAND
from course.pages import Session, Step
from course.tour.curl import read_request
from course.tour.outline import UnknownAddressError, names_file, outline
from course.translation import translate

LANGUAGES = {".py": "python", ".html": "html", ".js": "javascript", ".css": "css"}
"""The language of a file for the editor; other files are plain text."""


def session_id(address: str, index: int) -> str:
    """Return the id of a session of a page."""
    return f"{address.lstrip('/')}/{index}"


def find_session(catalog: Catalog, identifier: str) -> Session:
    """Return the session of an id.

    Raises:
        UnknownAddressError: no page has this session.
    """
    address, _, index = identifier.rpartition("/")
    part = outline(catalog).place(f"/{address}").part
    sessions = part.sessions() if part else []
    if not index.isdecimal() or int(index) >= len(sessions):
        raise UnknownAddressError(translate("The tour has no commands {name}.", name=identifier))
    return sessions[int(index)]


def command_kind(command: str) -> str:
    """Return what a command does: "start", "break", "request" or "other"."""
    if command.startswith(RUN_COMMAND):
        return "start"
    if command.startswith(BREAK_COMMAND):
        return "break"
    return "request" if command.startswith("curl ") else "other"


def describe_session(lesson: Lesson, identifier: str, session: Session) -> dict[str, Any]:
    """Return the data of a session for the page: its script, its options and its commands."""
    script = file_id(lesson, session.block.script)
    return {
        "id": identifier,
        "script": script.removeprefix("script:"),
        "serves": session.serves,
        "options": session.block.arguments,
        "change": "".join(change.text for change in session.changes) or None,
        "commands": [
            {
                "text": command,
                "kind": command_kind(command),
                "request": read_request(command),
                "shown": shown,
            }
            for command, shown in session.commands
        ],
    }


def file_id(lesson: Lesson, path: Path) -> str:
    """Return the id of a file of a lesson: `script:01/app`, or `script:01/templates/home.html`."""
    for script in lesson.scripts:
        if script.path == path:
            return f"script:{script.label}"
    for stage in lesson.stages:
        if path.is_relative_to(stage.folder):
            return f"script:{stage.label}/{path.relative_to(stage.folder).as_posix()}"
    return f"script:{lesson.number}/{path.relative_to(lesson.folder).as_posix()}"


def describe_file(identifier: str, path: Path) -> dict[str, str]:
    """Return the data of a file for the editor."""
    language = LANGUAGES.get(path.suffix, "text")
    return {"id": identifier, "name": path.name, "language": language}


def files_of(lesson: Lesson, part: Step, linked: list[Path]) -> list[Path]:
    """Return the files that a page shows, in the order of the page.

    Args:
        lesson: the lesson of the page.
        part: the Markdown of the page.
        linked: the files to which the page links.
    """
    named = [block.script for block in part.blocks() if names_file(block)]
    paths = [path.resolve() for path in [*named, *linked]]
    inside = [path for path in paths if path.is_file() and path.is_relative_to(lesson.folder)]
    return list(dict.fromkeys(path for path in inside if path.suffix != ".md"))
