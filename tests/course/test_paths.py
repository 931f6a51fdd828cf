"""The course works in a folder of any name, and prints into files of any encoding."""

import string
import sys
from pathlib import Path

import pytest

from tests.support.checkout import fetch_page, learn, make_checkout, serving, with_free_port

# All that a name may hold here, but for the colon, which learn.py refuses: test_learn.py. And a
# letter of each length that UTF-8 has.
NAME = "".join(sorted(set(string.printable) - set(string.whitespace) - set("/:")))
NAME += " \N{LATIN SMALL LETTER E WITH ACUTE}\N{CJK UNIFIED IDEOGRAPH-4E2D}\N{GRINNING FACE}"


@pytest.mark.skipif(sys.platform == "win32", reason="most of these characters are none there")
def test_a_checkout_in_a_folder_of_any_name(tmp_path: Path) -> None:
    # Standard output is one that cannot hold most of the name, as Windows' cp1252.
    narrow = {"PYTHONUTF8": "0", "PYTHONIOENCODING": "cp1252"}
    checkout = make_checkout(tmp_path / NAME)
    listed = learn(checkout, "list", env=narrow)
    assert "Hello, Tornado" in listed.stdout, listed.stderr

    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    copy = checkout / "my_work" / "01_hello" / "allow_head.py"
    started = learn(checkout, "start", "01/allow_head", cwd=elsewhere, env=narrow)
    assert copy.exists(), started.stderr
    assert "my_work" in started.stdout
    assert learn(checkout, "check", "01/allow_head", env=narrow).returncode == 1
    solution = checkout / "lessons" / "01_hello" / "exercises" / "solutions" / "allow_head.py"
    copy.write_bytes(solution.read_bytes())
    checked = learn(checkout, "check", "01/allow_head", env=narrow)
    assert "Solved." in checked.stdout, checked.stdout + checked.stderr
    # A command, and the learner's own program started by a check.
    assert learn(checkout, "check", "02", env=narrow).returncode == 1

    for command in ["run", "01/make_app"], ["run", "01/allow_head"], ["run", "03"], ["chat"]:
        with serving(checkout, with_free_port(command), env=narrow) as address:
            assert fetch_page(address)


def test_a_script_prints_what_the_output_cannot_hold(tmp_path: Path) -> None:
    checkout = make_checkout(tmp_path / "course")
    script = checkout / "lessons" / "01_hello" / "printing.py"
    script.write_text("print('\\N{GRINNING FACE} printed')", encoding="utf-8")
    narrow = {"PYTHONUTF8": "0", "PYTHONIOENCODING": "cp1252"}
    ended = learn(checkout, "run", "01/printing", env=narrow)
    assert (ended.returncode, ended.stdout) == (0, "? printed\n"), ended.stderr


@pytest.mark.parametrize("colour", ["FORCE_COLOR", "NO_COLOR"])
def test_output_into_a_file_has_no_colour(tmp_path: Path, colour: str) -> None:
    checkout = make_checkout(tmp_path / "course")
    for command in (
        ["list"],
        ["progress"],
        ["check", "01/allow_head"],
        ["solution", "01/allow_head", "--yes"],
    ):
        ended = learn(checkout, *command, env={"NO_COLOR": "", "TERM": "xterm", colour: "1"})
        assert "\x1b" not in ended.stdout + ended.stderr, command
