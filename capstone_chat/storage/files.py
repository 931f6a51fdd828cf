"""Permissions of the chat's files: 0700 for its folder and 0600 for files, whatever the umask is.

The files hold messages, password hashes and the secret that signs cookies. SQLite gives its
journals (-wal, -shm, -journal) the mode of the database, so only the database needs this care.
"""

import contextlib
import logging
import os
import re
import stat
from pathlib import Path

from capstone_chat.options import OptionError

log = logging.getLogger(__name__)

FOLDER_MODE = 0o700
FILE_MODE = 0o600

HAS_MODES = hasattr(os, "geteuid")
"""Whether files have an owner and permission bits; False on Windows."""

OTHERS = 0o077
"""Permission bits of the group and of all other users."""

JOURNALS = ("-wal", "-shm", "-journal")
"""Suffixes of the files that SQLite keeps beside a database."""

CHAT_FILES = re.compile(r"secret(\.[0-9a-f]{8})?|chat\.db(-wal|-shm|-journal)?")
"""Names of the files that the chat creates in its data folder."""


def prepare_data_folder(data: Path) -> None:
    """Create the data folder if missing; make the folder and the chat's files in it private.

    A folder that holds only the chat's files gets mode 0700. A folder that holds other files (a
    home directory, /tmp) keeps its mode, because other programs may depend on it.

    Raises:
        OptionError: the folder cannot be created or written, or every user can write to it.
    """
    try:
        _create(data)
        if _is_own(data):
            _make_private(data, FOLDER_MODE)
        else:
            _require_safe(data)
        for file in data.iterdir():
            if CHAT_FILES.fullmatch(file.name) and file.is_file():
                _make_private(file, FILE_MODE)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise OptionError(f"--data={data}: {reason}; give another folder") from error
    if not os.access(data, os.W_OK | os.X_OK):
        raise OptionError(f"--data={data}: the chat may not write to this folder; give another one")


def create_private(file: Path) -> None:
    """Create an empty file of mode 0600 unless the file exists.

    Raises:
        OSError: the file cannot be created.
    """
    file = file.resolve()  # for a dangling link, its target
    with contextlib.suppress(FileExistsError):
        os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, FILE_MODE))
        file.chmod(FILE_MODE)  # the umask may have removed the owner's permissions


def protect_database(file: Path) -> None:
    """Make an SQLite file and its journals private, but not their folder.

    Raises:
        OptionError: every user can write to one of them, and this user cannot change that.
        OSError: the folder does not exist.
    """
    create_private(file)
    for path in (file, *(file.with_name(file.name + suffix) for suffix in JOURNALS)):
        if path.is_file():
            _make_private(path, FILE_MODE)


def _create(data: Path) -> None:
    missing = [folder for folder in (data, *data.parents) if not folder.exists()]
    for folder in reversed(missing):
        folder.mkdir(FOLDER_MODE, exist_ok=True)  # another process may start at the same time
        folder.chmod(FOLDER_MODE)  # the umask may have removed the owner's permissions
    if not data.is_dir():
        raise NotADirectoryError(None, "this is not a folder")


def _is_own(folder: Path) -> bool:
    """Return whether a folder holds only the chat's files, so that its mode may be changed."""
    with contextlib.suppress(RuntimeError):  # a user without a home directory
        if folder.resolve() == Path.home().resolve():
            return False
    if folder.stat().st_mode & stat.S_ISVTX:  # shared by all users, such as /tmp
        return False
    return all(CHAT_FILES.fullmatch(file.name) for file in folder.iterdir())


def _make_private(path: Path, mode: int) -> None:
    """Remove the permissions of other users on a file or folder, or log why that is impossible.

    Raises:
        OptionError: the path belongs to another user, and every user can write to it.
    """
    status = path.stat()
    if not HAS_MODES or not status.st_mode & OTHERS:
        return
    if status.st_uid != os.geteuid():
        _refuse_if_open_to_all(path)
        log.warning("%s belongs to another user, who should run chmod go= on it", path)
        return
    with contextlib.suppress(OSError):
        path.chmod(stat.S_IMODE(status.st_mode) & mode)
    if path.stat().st_mode & OTHERS:  # vfat, for example
        log.warning("%s is open to other users: its file system keeps no modes", path)
    else:
        log.info("%s was open to other users: its mode is corrected", path)


def _require_safe(folder: Path) -> None:
    """Check the mode of a folder that holds other files too, without changing it.

    Raises:
        OptionError: every user can write to the folder.
    """
    if HAS_MODES:
        _refuse_if_open_to_all(folder)
        if folder.stat().st_mode & stat.S_IWGRP:
            log.warning("%s: its group can replace the chat's files; run chmod g-w on it", folder)


def _refuse_if_open_to_all(path: Path) -> None:
    if path.stat().st_mode & stat.S_IWOTH:
        raise OptionError(
            f"every user can write to {path} and could replace the chat's files:"
            " give another --data=DIR, or run chmod o-w on it"
        )
