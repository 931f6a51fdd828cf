"""Whatever a learner's file does, `run_check` returns, and says what a beginner can act on."""

import os
import sys
import time
from pathlib import Path
from textwrap import dedent

import pytest

from course.checking import worker
from course.checking.runner import CheckResult, Failure, Problem, SpareWorker, run_check
from tests.course.sample_course import message

HELLO = """
import tornado.web

class Hello(tornado.web.RequestHandler):
    def get(self):
        self.write("hello")

def make_app():
    return tornado.web.Application([("/", Hello)])
"""

CHECK = """
from course.testing.http import ExerciseCase, Mismatch

class Hello(ExerciseCase):
    def test_it_says_hello(self):
        self.send("GET", "/").expect(status=200, body="hello", advice="get()")
"""


def check(folder: Path, subject: str, check: str = CHECK, *, timeout: float = 20.0) -> CheckResult:
    """Run `check` on `subject`, both given as source."""
    (folder / "check_hello.py").write_text(dedent(check), encoding="utf-8")
    (folder / "hello.py").write_text(dedent(subject), encoding="utf-8")
    return run_check(folder / "check_hello.py", folder / "hello.py", timeout)


def problem(result: CheckResult) -> Problem:
    assert not result.passed
    assert result.problem
    return result.problem


def body(*tests: str) -> str:
    """A check file whose class has these tests besides the imports of CHECK."""
    begin = CHECK[: CHECK.index("    def test_")]
    return begin + "\n".join(f"    {line}" for test in tests for line in dedent(test).splitlines())


# What a check says


def test_a_right_file_passes(tmp_path: Path) -> None:
    result = check(tmp_path, HELLO)
    assert result.passed
    assert (result.tests, result.failures, result.problem, result.output) == (1, [], None, "")
    assert result.seconds > 0


def test_a_failure_says_sent_came_expected_look(tmp_path: Path) -> None:
    result = check(tmp_path, HELLO.replace('"hello"', '"bye"'))
    assert result.failures[0].test == "it says hello"
    assert message(result) == dedent(
        """\
        sent      GET /
        received  200 OK
                  Content-Type: text/html; charset=UTF-8
                  bye
        expected  the body 'hello'
        advice    get()"""
    )


def test_what_is_sent_is_told_with_its_headers_and_body(tmp_path: Path) -> None:
    for sending, told in {
        'form={"a": ["1", "2"]}': "form  a=1&a=2",
        'json={"a": "ë"}': 'JSON  {"a": "ë"}',
        'body="raw"': "body  'raw'",
        'headers={"X-Visitor": "Ada"}': "X-Visitor: Ada",
    }.items():
        test = (
            f'def test_it(self): self.send("POST", "/", {sending}).expect(status=200, advice="x")'
        )
        assert f"sent      POST /\n          {told}\nreceived  405" in message(
            check(tmp_path, HELLO, body(test))
        )


def test_each_expectation_can_fail_and_only_what_fails_is_told(tmp_path: Path) -> None:
    for expectation, told in {
        'status=201, body="hello"': "201 Created",
        'headers={"Content-Type": "x"}': "Content-Type: x",
        'headers={"Server": None}': "no header Server",
        'content_type="text/plain"': "Content-Type: text/plain",
        'body=""': "an empty body",
        'text="bye"': "the body 'bye'",
        "json=None": "the JSON  null",
        'contains="bye"': "a body that contains 'bye'",
        'lacks="ell"': "a body without 'ell'",
    }.items():
        test = f'def test_it(self): self.send("GET", "/").expect({expectation}, advice="x")'
        assert f"expected  {told}\nadvice" in message(check(tmp_path, HELLO, body(test)))


def test_what_does_not_matter_is_not_compared(tmp_path: Path) -> None:
    subject = HELLO.replace('"hello"', '" hello\\n"')
    test = """def test_it(self):
        self.send("GET", "/").expect(text="hello", content_type="text/html", advice="x")"""
    assert check(tmp_path, subject, body(test)).passed


def test_json_is_compared_as_values(tmp_path: Path) -> None:
    subject = HELLO.replace('"hello"', '{"b": [1, None], "a": "ë"}')
    test = 'def test_it(self): self.send("GET", "/").expect(json={}, advice="x")'
    right = test.replace("{}", '{"a": "ë", "b": [1, None]}')
    assert check(tmp_path, subject, body(right)).passed
    assert '{"b": [1, null], "a": "ë"}\nexpected' in message(check(tmp_path, subject, body(test)))


def test_a_value_that_is_no_answer_is_told_in_the_same_parts(tmp_path: Path) -> None:
    test = 'def test_it(self): self.expect("bye", "hi", sent="a frame", advice="on_message")'
    assert message(check(tmp_path, HELLO, body(test))) == dedent(
        """\
        sent      a frame
        received  'bye'
        expected  'hi'
        advice    on_message"""
    )


def test_plain_assertions_and_waits_can_be_given_a_look(tmp_path: Path) -> None:
    for inside, came in {
        'self.assertIn("a", "xyz")': "'a' not found in 'xyz'",
        "raise TimeoutError": "nothing in the time allowed",
        'raise Mismatch(sent="a frame", received="no", advice="on_message")': "no",
    }.items():
        test = f"""
            def test_it(self):
                with self.with_advice("on_message", sent="a frame"):
                    {inside}
            """
        expected = f"sent      a frame\nreceived  {came}\nadvice    on_message"
        assert message(check(tmp_path, HELLO, body(test))) == expected


def test_tests_run_in_the_order_they_are_written(tmp_path: Path) -> None:
    tests = [f'def test_{name}(self): raise Mismatch(received="x")' for name in ("easy", "a_hard")]
    result = check(tmp_path, HELLO, body(*tests))
    assert [failure.test for failure in result.failures] == ["easy", "a hard"]


def test_a_failure_is_known_while_the_check_goes_on(tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    (tmp_path / "hello.py").write_text(HELLO, encoding="utf-8")
    tests = """
    def test_first(self):
        self.expect(1, 2, advice="here")

    def test_second(self):
        while not pathlib.Path(FILE).exists():
            pass
    """.replace("FILE", repr(str(seen)))
    (tmp_path / "check_hello.py").write_text("import pathlib\n" + body(tests), encoding="utf-8")
    known: list[str] = []

    def on_failure(failure: Failure) -> None:
        known.append(failure.test)
        seen.touch()

    result = run_check(
        tmp_path / "check_hello.py", tmp_path / "hello.py", 10, on_failure=on_failure
    )
    assert known == ["first"]
    assert not result.problem, "the second test has seen that the first failure was known"
    assert (result.tests, [failure.test for failure in result.failures]) == (2, ["first"])


def test_a_check_that_has_taken_long_ends_with_its_first_failure(tmp_path: Path) -> None:
    impatient = 'import sys; sys.modules["__main__"].FAIL_FAST_AFTER = -1'
    tests = [
        f'def test_{name}(self): {impatient}; raise Mismatch(received="x")'
        for name in ("one", "other")
    ]
    result = check(tmp_path, HELLO, body(*tests))
    assert [failure.test for failure in result.failures] == ["one"]
    assert (result.tests, result.not_run) == (2, 1)
    assert not result.problem


def test_a_coroutine_test_may_send_too(tmp_path: Path) -> None:
    test = """
        @__import__("tornado.testing").testing.gen_test
        async def test_it(self):
            (await self.request("GET", "/")).expect(body="bye", advice="get()")
        """
    assert "expected  the body 'bye'" in message(check(tmp_path, HELLO, body(test)))


def test_a_check_without_tests_is_no_pass(tmp_path: Path) -> None:
    skipped = CHECK.replace("    def", "    @__import__('unittest').skip('why')\n    def")
    for source in ("", body("x = 1"), skipped):
        result = check(tmp_path, HELLO, source)
        assert result.tests == 0
        assert "no test" in problem(result).message


def test_a_broken_check_is_not_blamed_on_the_learner(tmp_path: Path) -> None:
    found = problem(check(tmp_path, HELLO, "import tornado.nowhere"))
    assert found.message.startswith("The check could not be run")
    assert (found.kind, found.file, found.line) == ("crash", tmp_path / "check_hello.py", 1)


# What a learner's file may do


def test_an_exception_in_a_handler_is_shown_with_its_line(tmp_path: Path) -> None:
    told = message(check(tmp_path, HELLO.replace('"hello"', "nam")))
    assert "received  500 Internal Server Error" in told
    assert told.endswith(
        "your code hello.py, line 6, in get\n"
        "            self.write(nam)\n"
        "          NameError: name 'nam' is not defined\n"
        "advice    get()"
    )


def test_a_method_that_was_returned_instead_of_called_is_explained(tmp_path: Path) -> None:
    told = message(check(tmp_path, HELLO.replace('self.write("hello")', "return self.get")))
    assert any(part in told for part in worker.NOT_AWAITABLE)
    assert "are the parentheses missing, as in self.get()?" in told


def test_an_await_of_a_method_that_is_no_coroutine_is_explained(tmp_path: Path) -> None:
    awaited = HELLO.replace("def get", "async def get").replace("self.write", "await self.write")
    told = message(check(tmp_path, awaited))
    assert any(part in told for part in worker.NOT_AWAITABLE)
    assert "Call any other function without await" in told
    assert "must return nothing" not in told


def test_what_tornado_logs_about_a_request_is_shown(tmp_path: Path) -> None:
    told = message(check(tmp_path, HELLO.replace('"hello"', 'self.get_argument("a")')))
    assert "received  400 Bad Request" in told
    assert "Missing argument a" in told.partition("logged")[2]


def test_a_forgotten_await_is_shown(tmp_path: Path) -> None:
    subject = HELLO.replace('self.write("hello")', "self.say()\n\n    async def say(self): pass")
    told = "logged    RuntimeWarning: coroutine 'Hello.say' was never awaited"
    assert told in message(check(tmp_path, subject))


def test_a_forgotten_await_in_a_cycle_is_shown(tmp_path: Path) -> None:
    forgotten = "self.me, self.kept = self, self.say()\n\n    async def say(self): pass"
    told = "logged    RuntimeWarning: coroutine 'Hello.say' was never awaited"
    assert told in message(check(tmp_path, HELLO.replace('self.write("hello")', forgotten)))


def test_a_dropped_connection_is_told_with_its_cause(tmp_path: Path) -> None:
    told = message(check(tmp_path, HELLO.replace("get(self)", "initialize(self, title)")))
    assert "received  no answer: the server closed the connection" in told
    assert "missing 1 required positional argument: 'title'" in told


def test_a_handler_that_never_answers_is_told(tmp_path: Path) -> None:
    subject = HELLO.replace("    def get", "    async def get").replace(
        'self.write("hello")', 'await __import__("asyncio").Event().wait()'
    )
    assert "received  no answer within 4 seconds" in message(check(tmp_path, subject))


def test_what_the_program_prints_is_shown_where_it_belongs(tmp_path: Path) -> None:
    subject = HELLO.replace("        self.write", "        print('here')\n        self.write")
    assert check(tmp_path, subject).output == "here"
    told = message(check(tmp_path, subject.replace('"hello"', '"bye"')))
    assert told.endswith("printed   here\nadvice    get()")


def test_printing_without_end_keeps_the_last_lines(tmp_path: Path) -> None:
    lines = "        [print(n) for n in range(100_000)]\n        self.write"
    printed = check(tmp_path, HELLO.replace("        self.write", lines)).output.splitlines()
    assert printed[-1] == "99999"
    assert len(printed) <= 21


def test_a_syntax_error_is_its_file_line_and_text(tmp_path: Path) -> None:
    found = problem(check(tmp_path, HELLO.replace("def get(self):", "def get(self)")))
    assert (found.kind, found.file, found.line) == ("syntax", tmp_path / "hello.py", 5)
    assert found.text == "def get(self)"
    assert found.message == "SyntaxError: expected ':'"


def test_wrong_indentation_and_bad_bytes_are_syntax_errors(tmp_path: Path) -> None:
    found = problem(check(tmp_path, HELLO.replace("        self.write", "    self.write")))
    assert (found.kind, found.line) == ("syntax", 6)
    assert "IndentationError" in found.message
    check(tmp_path, HELLO)
    for data in (b"name = '\xff'\n", b"a = 1\n\0\n"):
        (tmp_path / "hello.py").write_bytes(data)
        result = run_check(tmp_path / "check_hello.py", tmp_path / "hello.py")
        assert problem(result).kind == "syntax", problem(result)
    # The last one: Python names no line, and before 3.11.4 it does not call it a syntax error.
    assert problem(result).line == 2


def test_an_exception_while_loading_is_its_line(tmp_path: Path) -> None:
    found = problem(check(tmp_path, "print('so far')\nimport tornadoo\n"))
    assert (found.kind, found.line, found.text) == ("import", 2, "import tornadoo")
    assert found.message.splitlines() == [
        "ModuleNotFoundError: No module named 'tornadoo'",
        "printed   so far",
    ]


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    found = problem(run_check(tmp_path / "check.py", tmp_path / "nowhere.py"))
    assert found.kind == "import"
    assert "nowhere.py" in found.message


def test_make_app_missing_or_wrong_is_told_once(tmp_path: Path) -> None:
    make_app = "def make_app():\n    return tornado.web.Application"
    for change, kind, told, line in (
        ("def build():\n    return tornado.web.Application", "import", "has no make_app()", None),
        ("def make_app():\n    tornado.web.Application", "import", "is a return missing?", 8),
        ("async " + make_app, "import", "returned a coroutine", 8),
        (make_app.replace("tornado.web.", "tornado."), "crash", "AttributeError", 9),
        (make_app.replace("()", "(name)"), "crash", "missing 1 required", None),
    ):
        tests = ["def test_a(self): pass", "def test_b(self): pass"]
        result = check(tmp_path, HELLO.replace(make_app, change), body(*tests))
        found = problem(result)
        assert result.failures == []
        assert told in found.message
        assert (found.kind, found.line) == (kind, line)


def test_ending_the_program_while_loading_is_told(tmp_path: Path) -> None:
    found = problem(check(tmp_path, "import sys\nsys.exit('bye')\n"))
    assert (found.kind, found.line, found.text) == ("crash", 2, "sys.exit('bye')")


def test_ending_the_program_in_a_handler_is_told(tmp_path: Path) -> None:
    told = message(check(tmp_path, HELLO.replace("self.write", "__import__('sys').exit")))
    assert "received  the program ended itself" in told
    assert "hello.py, line 6, in get" in told


def test_dying_at_once_is_told_with_the_exit_code(tmp_path: Path) -> None:
    found = problem(check(tmp_path, HELLO.replace("self.write", "__import__('os')._exit(3) #")))
    assert found.kind == "crash"
    assert "exit code 3" in found.message


@pytest.mark.parametrize(
    ("subject", "lines", "texts"),
    [
        ("import tornado\nwhile True:\n    pass\n", (2, 3), ("while True:", "pass")),
        (
            "import threading"
            + HELLO.replace('self.write("hello")', "while True: threading.Event().wait(0.1)"),
            (6,),
            ("while True: threading.Event().wait(0.1)",),
        ),
        (
            "import asyncio\nprint('so far')\nasyncio.run(asyncio.Event().wait())",
            (3,),
            ("asyncio.run(asyncio.Event().wait())",),
        ),
    ],
    ids=["at the top", "in a handler", "waiting"],
)
def test_a_loop_without_end_is_told_with_its_line(
    tmp_path: Path, subject: str, lines: tuple[int, ...], texts: tuple[str, ...]
) -> None:
    result = check(tmp_path, subject, timeout=6)
    found = problem(result)
    assert found.kind == "timeout"
    assert found.message.startswith("Still running after 6 seconds.")
    assert ("printed   so far" in found.message) == ("so far" in subject)
    assert found.line in lines
    assert found.text in texts
    assert result.seconds < 60


def test_a_process_that_cannot_even_say_where_it_hangs_is_ended(tmp_path: Path) -> None:
    # A regular expression that backtracks for years holds the interpreter: no thread can speak.
    found = problem(check(tmp_path, "import re\nre.match('(a+)+$', 'a' * 60 + 'b')", timeout=0.5))
    assert (found.kind, found.message) == ("timeout", "Still running after 0.5 seconds.")


@pytest.mark.skipif(sys.platform == "win32", reason="process groups are a thing of POSIX")
def test_what_the_program_started_is_ended_with_it(tmp_path: Path) -> None:
    child = "[sys.executable, '-c', 'import signal; signal.pause()']"
    subject = f"import subprocess, sys\nprint(subprocess.Popen({child}).pid)\n" + HELLO
    source = CHECK.replace(
        "def test_", "def test_pid(self): print(self.subject.PID)\n    def test_"
    )
    result = check(tmp_path, subject.replace("print(sub", "PID = (sub"), source)
    assert result.passed
    pid = int(result.output)
    deadline = time.monotonic() + 60
    while alive(pid) and time.monotonic() < deadline:
        os.sched_yield()
    assert not alive(pid)


def alive(pid: int) -> bool:
    """Whether the process runs; one that ended and waits to be collected does not."""
    status = Path(f"/proc/{pid}/stat")
    try:
        return status.read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):  # it may end between open and read
        return False


def test_a_file_saved_twice_in_a_second_is_read_anew(tmp_path: Path) -> None:
    assert check(tmp_path, HELLO).passed
    assert not check(tmp_path, HELLO.replace("hello", "hallo")).passed
    assert list(tmp_path.rglob("*.pyc")) == []


def test_a_path_may_hold_any_letters(tmp_path: Path) -> None:
    folder = tmp_path / "我的 work"
    folder.mkdir()
    assert check(folder, HELLO).passed
    found = problem(check(folder, "while True: pass", timeout=6))
    assert (found.file, found.line) == (folder / "hello.py", 1)


def test_a_neighbour_of_the_file_can_be_imported_but_hides_no_library(tmp_path: Path) -> None:
    (tmp_path / "greeting.py").write_text("TEXT = 'hello'")
    (tmp_path / "colorsys.py").write_text("raise RuntimeError('not this one')")
    subject = "import greeting, colorsys\n" + HELLO.replace('"hello"', "greeting.TEXT")
    assert check(tmp_path, subject).passed


def test_a_class_attribute_that_hides_a_type_is_explained(tmp_path: Path) -> None:
    result = check(tmp_path, "class Echo:\n    bytes = 0\n    kinds = str | bytes\n", body())
    assert result.problem
    assert "hides that type" in result.problem.message


def test_a_name_from_the_wrong_module_is_explained(tmp_path: Path) -> None:
    result = check(tmp_path, "from tornado.httpclient import HTTPTimeoutError\n", body())
    assert result.problem
    assert "from tornado.simple_httpclient import HTTPTimeoutError" in result.problem.message


def test_a_process_that_waited_for_the_check_reports_as_a_fresh_one(tmp_path: Path) -> None:
    subject = """
    import sys

    print("output")
    raise ValueError(sys.argv[2:], sys.stdin.read())
    """
    (tmp_path / "hello.py").write_text(dedent(subject), encoding="utf-8")
    (tmp_path / "check_hello.py").write_text(CHECK, encoding="utf-8")
    reports = [
        run_check(tmp_path / "check_hello.py", tmp_path / "hello.py", start=start)
        for start in (None, SpareWorker().start)
    ]
    assert str(tmp_path / "hello.py") in problem(reports[0]).message
    assert "output" in problem(reports[0]).message
    assert problem(reports[1]) == problem(reports[0])


def test_a_process_that_gets_no_check_ends() -> None:
    spare = SpareWorker()
    assert spare._process.stdin
    spare._process.stdin.close()
    assert spare._process.wait(60) == 0
