"""Make the changes that the pages ask for ("Break it") in a copy of the lesson; restore scripts.

The copy is my_work/01_hello/broken/NAME/01_hello. The lesson's own files are not changed.
"""

import shutil
import subprocess
from pathlib import Path

from course.catalog import Catalog, Script
from course.demo import make_changed_copy, sessions_of
from course.pages import Session
from course.translation import translate
from course.workspace import backup_path


class NoChangeError(LookupError):
    """No page asks for a change of this script; the message names the scripts that have one."""


def find_change(catalog: Catalog, script: Script) -> Session:
    """Return the session in which a page shows the effect of its change of a script.

    Raises:
        NoChangeError: there is none.
    """
    changed = [session for session in sessions_of(script.path) if session.changes]
    if not changed:
        lesson = catalog.lesson(script.lesson)
        others = [
            each.label
            for each in lesson.scripts
            if any(session.changes for session in sessions_of(each.path))
        ]
        message = translate("The pages have no change to make in {label}.", label=script.label)
        if others:
            message += " " + translate("There is one for {labels}.", labels=", ".join(others))
        raise NoChangeError(message)
    return changed[0]


def copy_folder(catalog: Catalog, script: Script) -> Path:
    """Return the folder of the changed copy of a script's lesson."""
    return catalog.lesson(script.lesson).work_folder / "broken" / script.name


def make_copy(catalog: Catalog, script: Script) -> Path:
    """Make the change of a page in a copy of the lesson, unless the copy exists.

    Returns:
        The script in the copy.

    Raises:
        NoChangeError: no page asks for a change of this script.
    """
    session = find_change(catalog, script)
    folder = copy_folder(catalog, script)
    if not folder.exists():
        make_changed_copy(script.path.parent, session.changes, folder)
    return folder / script.path.parent.name / script.path.name


def remove_copy(catalog: Catalog, script: Script) -> bool:
    """Remove the changed copy of a script's lesson; return False if there is none."""
    folder = copy_folder(catalog, script)
    if not folder.exists():
        return False
    shutil.rmtree(folder)
    return True


class NotRestoredError(Exception):
    """A file cannot be restored; the message has the reason and advice."""


def restore(file: Path, root: Path) -> Path | None:
    """Restore a file of the course to its committed content.

    Args:
        file: a file inside the course.
        root: the folder of the course, a clone of its repository.

    Returns:
        The backup of the changed file, or None if the file was missing or not changed.

    Raises:
        NotRestoredError: the course is no clone, git is missing, or the file is not committed.
    """
    name = file.relative_to(root).as_posix()
    git = shutil.which("git")
    if git is None or not (root / ".git").exists():
        raise NotRestoredError(
            translate(
                "{name} can be restored only in a clone of the course, with the program git. "
                "Download the course again, and copy this file from there.",
                name=name,
            )
        )
    done = subprocess.run([git, "show", f"HEAD:{name}"], cwd=root, capture_output=True, check=False)
    if done.returncode:
        raise NotRestoredError(
            translate(
                "git does not know {name}: {error}", name=name, error=done.stderr.decode().strip()
            )
        )
    # git on Windows may have replaced the line ends by CRLF.
    if file.exists() and file.read_bytes().replace(b"\r\n", b"\n") == done.stdout:
        return None
    kept = backup_path(file) if file.exists() else None
    if kept:
        file.replace(kept)
    file.write_bytes(done.stdout)
    return kept
