"""`learn.py feedback`: the prepared text of an issue, opened in a browser or printed."""

import getpass
import tempfile
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import click
import pytest
from click.testing import CliRunner, Result

import course.tour.server
from course.cli import app
from course.feedback import without_private
from tests.course.sample_course import STUB, make_course, write

ISSUES = "https://code.example.org/course/issues"
SETTING = f'[project.urls]\nIssues = "{ISSUES}"\n'


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = make_course(tmp_path)
    page = root / "lessons" / "01_hello" / "README.md"
    write(page, "# Hello\n\n## Step 1: Start\n\nA.\n\n## Step 2: Stop\n\nB.\n")
    return root


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the addresses that are opened, in place of a browser that opens them."""
    found: list[str] = []
    monkeypatch.setattr(course.tour.server, "has_browser", lambda: True)
    monkeypatch.setattr(click, "launch", found.append)
    return found


def feedback(root: Path, *arguments: str) -> Result:
    return CliRunner().invoke(app, [f"--root={root}", "feedback", *arguments])


def test_a_step_and_the_versions_are_printed(root: Path) -> None:
    printed = feedback(root, "01/2")
    assert printed.exit_code == 0
    assert printed.output.startswith("Step 01/2, Stop: \n")
    for name in ("Learn Tornado ", "Python 3.", "Tornado 6."):
        assert name in printed.output


def test_without_a_place_it_is_about_the_course(root: Path) -> None:
    assert feedback(root).output.startswith("The course: \n")


@pytest.mark.parametrize("place", ["01/3", "01", "77/1", "01/nothing"])
def test_a_place_that_does_not_exist_is_named(root: Path, place: str) -> None:
    assert type(feedback(root, place).exception).__name__ == "UnknownNameError"


def test_an_exercise_has_the_report_of_its_check_and_nothing_private(root: Path) -> None:
    assert "The check reports" not in feedback(root, "01/greeting").output, "nothing was begun"
    broken = STUB.replace('self.write("TODO")', f"raise OSError({str(Path.home() / 'x')!r})")
    assert broken != STUB
    write(root / "my_work" / "01_hello" / "greeting.py", broken)
    printed = feedback(root, "01/greeting").output
    assert "1 of 1 test fails" in printed
    assert "HOME/x" in printed.replace("\\", "/")
    assert str(root) not in printed
    assert str(Path.home() / "x") not in printed
    assert not (root / ".progress.json").exists(), "it counts as no try"


def test_paths_outside_the_course_and_the_user_are_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(getpass, "getuser", lambda: "ann_lee")
    text = (
        f"{tmp_path / 'my_work' / 'a.py'}\n{Path(tempfile.gettempdir()) / 'b'}\n"
        'File "/srv/ann_lee/private/c.py", line 1\nGET /hello/ann_lee\n'
    )
    expected = './my_work/a.py\nTEMP/b\nFile "c.py", line 1\nGET /hello/USER\n'
    assert without_private(text, tmp_path).replace("\\", "/") == expected


def test_with_an_address_it_opens_the_issue(root: Path, opened: list[str]) -> None:
    write(root / "pyproject.toml", SETTING)
    assert "send it" in feedback(root, "01/2").output
    address = urlsplit(opened[0])
    assert opened[0].startswith(f"{ISSUES}/new?")
    fields = parse_qs(address.query)
    assert fields["title"] == ["Step 01/2, Stop: "]
    assert "**Versions:**" in fields["body"][0]


def test_without_an_address_or_a_browser_it_opens_nothing(
    root: Path, opened: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    feedback(root, "01/2")
    write(root / "pyproject.toml", SETTING)
    feedback(root, "01/2", "--no-browser")
    monkeypatch.setattr(course.tour.server, "has_browser", lambda: False)
    assert "**Versions:**" in feedback(root, "01/2").output
    assert opened == []
