"""A clone on Windows has the same bytes as one on Linux."""

import shutil
import subprocess
from pathlib import Path

from tests.support.checkout import ROOT

# Line ends in a text, and bytes that look like line ends in files that are none.
FILES = {"learn.py": b"one\ntwo\n", "chat.mo": b"\xde\x12\n\r\n\n", "chat.png": b"text\r\n\n"}


def git(folder: Path, *arguments: str) -> None:
    # autocrlf is what the installer of Git for Windows sets.
    command = ["git", "-c", "core.autocrlf=true", "-c", "core.safecrlf=false", *arguments]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)


def test_a_checkout_on_windows_keeps_every_byte(tmp_path: Path) -> None:
    git(tmp_path, "init")
    shutil.copyfile(ROOT / ".gitattributes", tmp_path / ".gitattributes")
    for name, content in FILES.items():
        (tmp_path / name).write_bytes(content)
    git(tmp_path, "add", ".")
    for name in FILES:
        (tmp_path / name).unlink()
    git(tmp_path, "checkout-index", "--all", "--force")
    assert {name: (tmp_path / name).read_bytes() for name in FILES} == FILES
