"""Checks that start a program: a failure says what was started, came, was expected."""

from pathlib import Path

import pytest

from course.checking.runner import CheckResult
from course.testing import command
from tests.course.sample_course import check_lines, message
from tests.support.script_server import ignored_interrupts

LIGHT = """
import asyncio
import contextlib
import sys

import tornado.web
from tornado.options import define, options, parse_command_line


class Light(tornado.web.RequestHandler):
    def get(self):
        self.write({"name": options.name}["name"])


async def main():
    define("port", default=8888)
    define("name", default="Eddystone")
    parse_command_line()
    tornado.web.Application([("/", Light)]).listen(options.port)
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
"""


def check(folder: Path, subject: str, *lines: str) -> CheckResult:
    """Run a check whose only test consists of these lines."""
    return check_lines(command.CommandCase, folder / "light.py", subject, *lines)


def test_a_started_program_is_asked_and_ended(tmp_path: Path) -> None:
    result = check(
        tmp_path,
        LIGHT,
        'self.start("--name=Bell Rock", advice="main()")',
        'self.send("GET", "/").expect(status=200, body="Bell Rock", advice="get()")',
        "ended = self.stop_program()",
        'ended.expect(contains="200 GET /", lacks="Traceback", advice="the log")',
        'self.start("--name=Fastnet", advice="main()")',
        'self.send("GET", "/").expect(body="Fastnet", advice="get()")',
    )
    assert result.passed, result


def test_what_a_program_writes_is_not_coloured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # From Python 3.13 on this colours a traceback, wherever it goes.
    monkeypatch.setenv("FORCE_COLOR", "1")
    told = message(check(tmp_path, LIGHT, 'self.start("--nmae=Fastnet", advice="main()")'))
    assert "Unrecognized command line option" in told
    assert "\x1b" not in told


def test_a_check_in_the_background_of_a_shell_script_ends_its_program(tmp_path: Path) -> None:
    with ignored_interrupts():
        result = check(
            tmp_path,
            LIGHT,
            'self.start(advice="main()")',
            'self.stop_program().expect(success=True, advice="main()")',
        )
    assert result.passed, result


def test_a_failed_request_tells_the_command(tmp_path: Path) -> None:
    told = message(
        check(
            tmp_path,
            LIGHT,
            'self.write("light.conf", "port = 1\\n")',
            'self.start("--name=Bell Rock", advice="main()")',
            'self.send("GET", "/").expect(body="Fastnet", advice="get()")',
        )
    )
    lines = told.splitlines()
    assert lines[0].startswith('sent      python3 light.py "--name=Bell Rock" --port=')
    assert lines[1:4] == ["          light.conf:", "            port = 1", "          GET /"]
    assert "          Bell Rock" in lines
    assert lines[-2:] == ["expected  the body 'Fastnet'", "advice    get()"]


@pytest.mark.parametrize(
    ("mistake", "expected"),
    [("port=port", "options.port"), ("port=porty", "a name is not known"), ("port=1()", "RAISED")],
)
def test_the_first_entry_that_standard_error_contains_is_the_advice(
    tmp_path: Path, mistake: str, expected: str
) -> None:
    subject = LIGHT.replace("    parse_command_line()\n", f"    dict({mistake})\n")
    told = message(
        check(
            tmp_path,
            subject,
            "from course.testing.command import ADVICE_BY_EXCEPTION",
            "by_error = {\"name 'port'\": 'options.port'} | ADVICE_BY_EXCEPTION",
            'self.start(advice="main()", advice_by_error=by_error)',
        )
    )
    wanted = command.RAISED.splitlines()[0] if expected == "RAISED" else expected
    assert wanted in told.partition("\nadvice")[2]


def test_a_program_that_fails_shows_its_own_lines_only(tmp_path: Path) -> None:
    told = message(check(tmp_path, LIGHT, 'self.start("--nmae=Fastnet", advice="main()")'))
    assert "received  exit code 1" in told
    assert 'File "light.py", line 18, in main' in told
    assert "Error: Unrecognized command line option: 'nmae'" in told
    assert "options.py" not in told
    assert "expected  it prints: Open http://localhost:" in told


def test_a_program_that_serves_elsewhere_is_told(tmp_path: Path) -> None:
    elsewhere = LIGHT.replace("{options.port}", "{options.port + 1}")
    told = message(check(tmp_path, elsewhere, 'self.start(advice="main()")'))
    assert "received  it prints: Open http://localhost:" in told
    assert "expected  it prints: Open http://localhost:" in told


def test_a_program_that_should_end_and_serves_is_told(tmp_path: Path) -> None:
    told = message(
        check(
            tmp_path,
            LIGHT,
            'port = f"--port={self.free_port()}"',
            'self.run_program(port).expect(success=False, contains="port", advice="main()")',
        )
    )
    assert "received  it goes on and prints: Open http://localhost:" in told
    assert "nothing on standard error" in told
    assert "expected  an exit code other than 0" in told
    assert "standard error that contains 'port'" in told


def test_a_program_that_ends_is_told_by_code_and_log(tmp_path: Path) -> None:
    code_3 = """
        import sys

        if __name__ == "__main__":
            sys.stderr.write("no light")
            sys.exit(3)
    """
    told = message(
        check(
            tmp_path,
            code_3,
            'self.run_program("--lit").expect(success=False, contains="no light", advice="")',
            'self.run_program("--lit").expect(success=True, lacks="light", advice="main()")',
        )
    )
    assert told.splitlines() == [
        "sent      python3 light.py --lit",
        "received  exit code 3",
        "          standard error:",
        "            no light",
        "expected  exit code 0",
        "          standard error without 'light'",
        "advice    main()",
    ]


def test_a_program_that_hangs_without_a_word_is_ended(tmp_path: Path) -> None:
    silent = LIGHT.replace("print(f", "str(f")
    told = message(
        check(
            tmp_path,
            silent,
            "import course.testing.command",
            "course.testing.command.START_TIMEOUT = 0.5",
            'self.start(advice="main()")',
        )
    )
    assert "received  still running after 8 seconds, and no address printed" in told


def test_an_error_of_the_server_is_shown_with_the_failure(tmp_path: Path) -> None:
    broken = LIGHT.replace('["name"]', '["nmae"]')
    told = message(
        check(
            tmp_path,
            broken,
            'self.start(advice="main()")',
            'self.send("GET", "/").expect(status=200, advice="get()")',
        )
    )
    assert "500 Internal Server Error" in told
    assert 'File "light.py", line 12, in get' in told
    assert "KeyError: 'nmae'" in told
