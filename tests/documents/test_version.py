"""The version of the chat and of the course is the same in all places that state it."""

import re
import subprocess
import sys
import tomllib

import yaml
from click.testing import CliRunner

from capstone_chat import __version__
from course.cli import app
from tests.support.checkout import ROOT


def test_the_package_has_it() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["version"] == __version__


def test_the_newest_release_and_the_citation_have_it() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    releases = re.findall(r"^## (\d\S+) - (\S+)$", changelog, re.M)
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert releases[0] == (__version__, str(citation["date-released"]))
    assert citation["version"] == __version__


def test_the_chat_prints_it() -> None:
    command = [sys.executable, "-m", "capstone_chat", "--version"]
    printed = subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8", check=True)
    assert printed.stdout == f"capstone_chat {__version__}\n"


def test_the_course_prints_it() -> None:
    result = CliRunner().invoke(app, ["--version"])
    assert (result.exit_code, result.output) == (0, f"Learn Tornado, version {__version__}\n")
