"""The commands, each in a small course of its own."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import click
import pytest

from course.catalog import Catalog
from course.cli import find_tour_page
from course.console import cause_of, print_error, print_goal, print_hint
from course.progress import ExerciseProgress, Progress
from tests.course.processes import course, course_process, running_course
from tests.course.sample_course import SOLUTION, STUB, make_course, write
from tests.support.checkout import ROOT, read_until

COPY = Path("my_work", "01_hello", "greeting.py")
OTHER_COPY = Path("my_work", "01_hello", "farewell.py")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return make_course(tmp_path)


def narrow_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the outputs a terminal of 40 columns."""
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    monkeypatch.setattr("os.get_terminal_size", lambda _: os.terminal_size((40, 24)))


def solve(root: Path, copy: Path = COPY) -> None:
    write(root / copy, SOLUTION)


def record(root: Path, name: str = "greeting") -> ExerciseProgress:
    return Progress(root / ".progress.json").get(f"01_hello/{name}")


def test_help_shows_the_menu(root: Path) -> None:
    menu = course(root, "--help")
    assert menu.exit_code == 0
    for name in (
        "tour",
        "list",
        "run",
        "check",
        "hint",
        "watch",
        "solution",
        "reset",
        "progress",
        "chat",
    ):
        assert f" {name} " in menu.output


def test_list_shows_a_line_for_each_lesson(root: Path) -> None:
    solve(root)
    course(root, "check", "01/greeting")
    listed = course(root, "list").output
    assert "01  Hello, Tornado  1 of 2 exercises solved\n02  options\n" in listed
    assert "01/zebra" not in listed


def test_list_of_a_lesson_shows_scripts_exercises_and_what_is_done(root: Path) -> None:
    solve(root)
    course(root, "check", "01/greeting")
    listed = course(root, "list", "01").output
    assert "01_hello  Hello, Tornado" in listed
    assert "01/zebra     The zebra." in listed
    assert "01/greeting  solved  Say hello" in listed
    assert "01/farewell  to do  Say it again" in listed
    assert "02_options" not in listed


@pytest.mark.parametrize(
    "name",
    ["01/greeting", "greeting", "greeting.py", str(COPY), f"./{COPY.as_posix()}"],
)
def test_an_exercise_is_found_by_its_name_or_its_path(root: Path, name: str) -> None:
    solve(root)
    assert course(root, "check", name).exit_code == 0
    assert record(root).solved


def test_a_name_that_two_lessons_have_is_asked_for(root: Path) -> None:
    ended = course_process(root, "run", "app")
    assert ended.returncode == 2
    assert ended.stderr == 'learn.py: "app" may be 01/app or 02/app: write which.\n'


def test_a_script_is_found_by_its_path(root: Path) -> None:
    assert course_process(root, "run", "lessons/01_hello/zebra.py", "x").stdout == "['x']\n"


def test_without_a_name_it_is_the_next_exercise(root: Path) -> None:
    assert "01/greeting" in course(root, "check").output
    solve(root)
    assert course(root, "check").exit_code == 0
    assert "01/farewell" in course(root, "check").output
    assert "Hint 1 of 2: As before." in course(root, "hint").output
    assert course_process(root, "run").stdout == "[]\n"


def test_a_wrong_name_is_one_line_with_an_offer(root: Path) -> None:
    for arguments, offer in [
        (["run", "helo"], 'No lesson, script or exercise is called "helo". Did you mean 01_hello?'),
        (["check", "greting"], "Did you mean 01/greeting?"),
        (["demo", "zebr"], "Did you mean 01/zebra?"),
        (["check", "01/greting"], "Did you mean 01/greeting?"),
        (["hint", "9"], "There is no lesson 9. The lessons are 01 to 02."),
        (["tour", "77"], "There is no lesson 77. The lessons are 01 to 02."),
        (["tour", "01/99"], "Lesson 01 has no step 99."),
        (["feedback", "77"], "There is no lesson 77. The lessons are 01 to 02."),
        (["list", "01/app"], "01/app is more than a lesson: write only 01."),
        (["site", str(root)], "holds files that are not a site of this command."),
        (
            ["site", str(root / "notebooks" / "01_hello.ipynb" / "x")],
            "The site cannot be written: Not a directory",
        ),
        (["notebook", "02"], "02_options has no notebook yet."),
    ]:
        ended = course_process(root, *arguments)
        assert ended.returncode == 2
        assert ended.stderr.startswith("learn.py: ")
        assert ended.stderr.count("\n") == 1
        assert offer in ended.stderr


def test_the_tour_begins_with_a_lesson_a_step_an_exercise_or_a_stage() -> None:
    catalog = Catalog(ROOT)
    for text, address in [
        ("", "/"),
        ("1", "/01"),
        ("01/3", "/01/3"),
        ("hello/03", "/01/3"),
        ("01/routing", "/01"),
        ("01/allow_head", "/exercise/01/allow_head"),
        ("10/4", "/10/stage_04"),
    ]:
        assert find_tour_page(catalog, text) == address


def test_a_misspelt_command_offers_the_closest(root: Path) -> None:
    ended = course(root, "chek")
    assert ended.exit_code == 2
    assert "Did you mean 'check'?" in ended.output


@pytest.mark.parametrize("port", ["abc", "-1", "65536", "1.5", "\N{ARABIC-INDIC DIGIT EIGHT}"])
def test_a_wrong_port_of_the_tour_says_what_to_write(root: Path, port: str) -> None:
    result = course(root, "tour", f"--port={port}")
    assert result.exit_code == 2
    assert "write a whole number from 0 to 65535" in result.output


def test_a_broken_course_is_one_line(root: Path) -> None:
    write(root / "lessons" / "01_hello" / "exercises" / "exercises.toml", "[[exercise")
    ended = course_process(root, "list")
    assert ended.returncode == 1
    assert "exercises.toml" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_run_passes_the_options_on(root: Path) -> None:
    ended = course_process(root, "run", "01/zebra", "--port=9000", "--help", "name", "--", "-x")
    assert ended.stdout == "['--port=9000', '--help', 'name', '--', '-x']\n"
    assert ended.returncode == 0


def test_run_starts_the_learners_copy_of_an_exercise(root: Path) -> None:
    write(root / COPY, "print('mine')")
    assert course_process(root, "run", "01/greeting").stdout == "mine\n"


def test_check_makes_the_copy_and_tells_what_fails(root: Path) -> None:
    checked = course(root, "check", "01")
    assert checked.exit_code == 1
    assert (root / COPY).read_text(encoding="utf-8") == STUB
    assert str(COPY) in checked.output
    assert "1 of 1 test fails" in checked.output
    for part in ("sent", "GET /", "received", "TODO", "expected", "hello", "Change the file first"):
        assert part in checked.output
    assert "hint 01/greeting" in checked.output
    assert "Say it again" not in checked.output, "one thing at a time"


def test_advice_comes_from_the_first_change_on(root: Path) -> None:
    """The first report shows the goal; its advice would be the answer."""
    assert "get() of Hello" not in course(root, "check", "01").output
    write(root / COPY, STUB.replace("TODO", "helo"))
    checked = course(root, "check", "01").output
    assert "advice    get() of Hello" in checked
    assert "Change the file first" not in checked


CHECK_OF_CASES = """
from course.testing.http import ExerciseCase


class Hello(ExerciseCase):
    def test_each_path_answers(self):
        for path in ("/", "/?a=1", "/?a=2"):
            with self.subTest(path):
                self.send("GET", path).expect(status=200, body="hello", advice="get() of Hello")

    def test_another_path_is_404(self):
        self.send("GET", "/nowhere").expect(status=404, advice="make_app()")

    def test_post_is_refused(self):
        self.send("POST", "/", form={}).expect(status=404, advice="post() of Hello")
"""


def test_failures_are_counted_by_test_and_one_cause_is_shown_once(root: Path) -> None:
    write(root / "lessons" / "01_hello" / "exercises" / "check_greeting.py", CHECK_OF_CASES)
    write(root / COPY, STUB.replace("TODO", "helo"))
    checked = course(root, "check", "01/greeting").output
    assert "not yet  2 of 3 tests fail" in checked
    assert checked.count("advice    get() of Hello") == 1
    assert "\n  2 more cases fail in the same way.\n" in checked
    assert checked.count("advice    post() of Hello") == 1, "this one has another cause"


def test_tests_that_did_not_run_are_counted(root: Path) -> None:
    impatient = CHECK_OF_CASES.replace(
        "    def test_another",
        """    def test_a_slow_one(self):
        import sys
        sys.modules["__main__"].FAIL_FAST_AFTER = -1
        self.send("GET", "/").expect(body="hello", advice="get() of Hello")

    def test_another""",
    )
    write(root / "lessons" / "01_hello" / "exercises" / "check_greeting.py", impatient)
    write(root / COPY, STUB.replace("TODO", "helo"))
    checked = course(root, "check", "01/greeting").output
    assert "not yet  2 of 4 tests fail, 2 not run" in checked


def test_an_exception_at_one_line_is_one_cause(root: Path) -> None:
    write(root / "lessons" / "01_hello" / "exercises" / "check_greeting.py", CHECK_OF_CASES)
    write(root / COPY, STUB.replace('self.write("TODO")', "self.nothing()"))
    checked = course(root, "check", "01/greeting").output
    assert checked.count("AttributeError") == 1
    assert "\n  2 more cases fail in the same way.\n" in checked


def test_numbers_in_what_is_printed_do_not_make_another_cause() -> None:
    failed = "sent      GET /{0}\nreceived  500\nprinted   [E 09:00:0{0}] port 900{0} is closed"
    assert cause_of(failed.format(1)) == cause_of(failed.format(2))
    assert cause_of(failed.format(1)) != cause_of(failed.format(1).replace("closed", "open"))
    missing = "received  exit code 1\nexpected  it prints: Open http://localhost:{}"
    assert cause_of(missing.format(9001)) == cause_of(missing.format(9002))
    assert cause_of("received  204") != cause_of("received  205")


def test_failures_of_an_earlier_cause_are_counted_at_the_end(root: Path) -> None:
    get, nowhere, post = (
        'self.send("GET", "/").expect(status=204, advice="get() of Hello")',
        'self.send("GET", "/").expect(status=205, advice="get() of Hello")',
        'self.send("GET", "/").expect(status=204, advice="get() of Hello")',
    )
    source = "from course.testing.http import ExerciseCase\n\n\nclass Hello(ExerciseCase):\n"
    for name, line in ("one", get), ("two", nowhere), ("three", post):
        source += f"    def test_{name}(self):\n        {line}\n"
    write(root / "lessons" / "01_hello" / "exercises" / "check_greeting.py", source)
    checked = course(root, "check", "01/greeting").output
    assert "\n  1 more case fails in a way that is shown above.\n" in checked
    assert checked.index("expected  204") < checked.index("expected  205")
    assert checked.count("expected  204") == 1


def test_check_says_what_it_copied(root: Path) -> None:
    checked = course(root, "check", "01").output
    for name, copy in ("greeting", COPY), ("farewell", OTHER_COPY):
        assert f"Copied 01/{name} to " in checked
        assert str(copy) in checked
    assert "Copied" not in course(root, "check", "01").output


def test_check_never_touches_the_stub(root: Path) -> None:
    stub = root / "lessons" / "01_hello" / "exercises" / "greeting.py"
    solve(root)
    course(root, "check", "01")
    course(root, "reset", "01")
    assert stub.read_text(encoding="utf-8") == STUB


def test_check_passes_when_all_is_solved(root: Path) -> None:
    solve(root)
    assert course(root, "check", "01").exit_code == 1, "one is left"
    solve(root, OTHER_COPY)
    checked = course(root, "check", "01")
    assert checked.exit_code == 0
    assert "All solved." in checked.output
    assert record(root).solved


def test_a_solved_exercise_can_be_compared_with_the_solution(root: Path) -> None:
    solve(root)
    assert "solution 01/greeting" in course(root, "check", "01/greeting").output
    solve(root, OTHER_COPY)
    assert "solution 01/greeting" not in course(root, "check", "01").output


def test_check_forgets_a_solution_that_no_longer_passes(root: Path) -> None:
    solve(root)
    course(root, "check", "01/greeting")
    assert record(root).solved
    write(root / COPY, STUB)
    course(root, "check", "01/greeting")
    assert not record(root).solved


def test_a_syntax_error_is_file_line_and_text(root: Path) -> None:
    write(root / COPY, SOLUTION.replace("def get(self):", "def get(self)"))
    checked = course(root, "check", "01/greeting")
    assert checked.exit_code == 1
    assert "greeting.py, line 8" in checked.output
    assert "def get(self)\n" in checked.output
    assert "SyntaxError: expected ':'" in checked.output
    assert "Traceback" not in checked.output


def test_long_lines_of_a_failure_are_neither_cut_nor_broken(root: Path) -> None:
    long = "x" * 300
    write(root / COPY, SOLUTION.replace("hello", long))
    assert long[:200] in course(root, "check", "01/greeting").output


def test_markup_in_what_came_is_shown_as_it_is(root: Path) -> None:
    write(root / COPY, SOLUTION.replace('"hello"', '"[bold]hello[/nothing]"'))
    assert "[bold]hello[/nothing]" in course(root, "check", "01/greeting").output


def test_hints_come_one_by_one(root: Path) -> None:
    assert "Hint 1 of 2: What does get() write?" in course(root, "hint", "01/greeting").output
    last = course(root, "hint", "01/greeting").output
    assert "Hint 2 of 2: Write hello." in last
    assert "solution 01/greeting" in last
    assert "Hint 2 of 2" in course(root, "hint", "01/greeting").output
    assert record(root).hints == 2


def test_on_a_terminal_a_hint_is_wrapped_between_words(
    root: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "Below get(), add a method head(self) -> None whose only line calls self.get()."
    path = root / "lessons" / "01_hello" / "exercises" / "exercises.toml"
    path.write_text(path.read_text(encoding="utf-8").replace("Write hello.", text, 1), "utf-8")
    exercise = next(iter(Catalog(root).exercises()))
    narrow_terminal(monkeypatch)
    print_hint(exercise, 2)
    lines = click.unstyle(capsys.readouterr().out).split("\n")
    assert " ".join(filter(None, lines)) == f"Hint 2 of 2: {text}"
    assert len(lines) > 3
    assert max(map(len, lines)) < 40


def test_on_a_terminal_goals_and_errors_are_wrapped_between_words(
    root: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    goal = "The first paragraph of a long goal,\nbroken elsewhere.\n\nThe second paragraph."
    exercise = next(iter(Catalog(root).exercises()))
    narrow_terminal(monkeypatch)
    print_goal(replace(exercise, goal=goal))
    print_error("No lesson is called this. There is: 01_hello, 02_options.")
    printed, errors = map(click.unstyle, capsys.readouterr())
    assert printed == (
        "Say hello\n  The first paragraph of a long goal,\n  broken elsewhere.\n\n"
        "  The second paragraph.\n"
    )
    assert errors == "learn.py: No lesson is called this.\nThere is: 01_hello, 02_options.\n"


def test_messages_have_only_characters_that_each_console_has() -> None:
    for path in [
        ROOT / "learn.py",
        *(ROOT / "course").glob("*.py"),
        *(ROOT / "course" / "checking").glob("*.py"),
    ]:
        assert path.read_text(encoding="utf-8").isascii(), path


def test_after_the_solution_all_hints_are_shown_and_none_is_counted(root: Path) -> None:
    solve(root)
    course(root, "check", "01/greeting")
    shown = course(root, "hint", "01/greeting").output
    assert "Hint 1 of 2" in shown
    assert "Hint 2 of 2" in shown
    assert record(root).hints == 0


def test_a_hint_for_a_lesson_is_for_the_first_unsolved(root: Path) -> None:
    assert "Say hello" in course(root, "hint", "01").output
    solve(root)
    course(root, "check", "01")
    assert "Say it again" in course(root, "hint", "01").output


def test_the_solution_comes_after_a_try(root: Path) -> None:
    refused = course(root, "solution", "01/greeting")
    assert refused.exit_code == 1
    assert "Try it first" in refused.output
    course(root, "check", "01/greeting")
    assert course(root, "solution", "01/greeting").exit_code == 1, "a stub is no try"

    write(root / COPY, STUB.replace("TODO", "helo"))
    course(root, "check", "01/greeting")
    shown = course(root, "solution", "01/greeting")
    assert shown.exit_code == 0
    assert shown.output.strip() == SOLUTION.strip()


def test_the_solution_comes_at_once_with_yes(root: Path) -> None:
    assert "hello" in course(root, "solution", "01/greeting", "--yes").output


def test_reset_keeps_every_version(root: Path) -> None:
    for version in ("one", "two"):
        write(root / COPY, version)
        assert f"greeting.py.bak{1 if version == 'one' else 2}" in course(
            root, "reset", "01/greeting"
        ).output.replace("\n", "")
    assert (root / COPY).read_text(encoding="utf-8") == STUB
    assert (root / COPY).with_name("greeting.py.bak1").read_text(encoding="utf-8") == "one"
    assert (root / COPY).with_name("greeting.py.bak2").read_text(encoding="utf-8") == "two"
    course(root, "reset", "01/greeting")
    assert not (root / COPY).with_name("greeting.py.bak3").exists(), "a stub needs no backup"


def test_reset_forgets_the_progress(root: Path) -> None:
    solve(root)
    course(root, "check", "01/greeting")
    course(root, "reset", "01")
    assert record(root) == ExerciseProgress()


def test_start_makes_all_copies_and_keeps_what_is_there(root: Path) -> None:
    write(root / COPY, "mine")
    started = course(root, "start", "01")
    assert (root / OTHER_COPY).read_text(encoding="utf-8") == STUB
    assert (root / COPY).read_text(encoding="utf-8") == "mine"
    assert started.output.count("was there already") == 1


def test_progress_counts_and_says_what_is_next(root: Path) -> None:
    solve(root)
    course(root, "check", "01")
    course(root, "hint", "01/farewell")
    shown = course(root, "progress").output
    assert "01_hello    1 of 2  #.  1" in shown
    assert "check 01/farewell" in shown


def test_a_broken_progress_file_is_put_aside_with_a_word(root: Path) -> None:
    (root / ".progress.json").write_text("{", encoding="utf-8")
    shown = course(root, "list")
    assert shown.exit_code == 0
    assert ".progress.json.broken" in shown.output
    assert (root / ".progress.json.broken").exists()


def test_watch_checks_at_every_save_and_goes_on(root: Path) -> None:
    with running_course(root, "watch", "01") as process:
        assert "TODO" in read_until(process, "Waiting for you")
        write(root / COPY, SOLUTION.replace("hello", "helo"))
        assert "helo" in read_until(process, "Waiting for you")
        solve(root)
        assert "01/greeting" in read_until(process, "solved")
        read_until(process, "Waiting for you")
        solve(root, OTHER_COPY)
        assert "01/farewell" in read_until(process, "All solved.")
        assert process.wait(30) == 0


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
def test_watch_ends_quietly(root: Path) -> None:
    for stop in (subprocess.Popen.terminate, lambda process: process.send_signal(2)):
        with running_course(root, "watch", "01/greeting") as process:
            read_until(process, "Waiting for you")
            stop(process)
            said, _ = process.communicate(timeout=30)
        assert "Traceback" not in said
        assert process.returncode == 0
