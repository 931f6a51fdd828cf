"""`demo`, `break` and `restore`, in a small course whose page has steps."""

import os
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from course import demo, ports
from course.pages import Session, apply_change, commands, excerpt, sessions, steps
from tests.course.processes import course, course_process, running_course
from tests.course.sample_course import make_course, write
from tests.support.checkout import read_until, rest_of_output

SERVER = '''
"""A server."""
import asyncio
import contextlib
import tornado.web
from tornado.options import define, options, parse_command_line


class Handler(tornado.web.RequestHandler):
    def get(self):
        self.write("hello")


async def main():
    define("port", default=8888)
    parse_command_line()
    tornado.web.Application([("/", Handler)]).listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
'''
PAGE = """# 01 Hello

## Step 1: Say hello

<!-- session: server.py -->
```console
$ python3 learn.py run 01/server
Open http://localhost:8888
$ curl http://localhost:8888/
hello
```

## Step 2: Break it

<!-- change: server.py -->
```diff
-        self.write("hello")
+        self.write(["hello"])
```

<!-- broken: server.py -->
```console
$ curl http://localhost:8888/
<html><title>500: Internal Server Error</title><body>500: Internal Server Error</body></html>
```

<!-- log -->
```text
TypeError: ...
```
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    make_course(tmp_path)
    lesson = tmp_path / "lessons" / "01_hello"
    (lesson / "server.py").write_text(SERVER.lstrip(), encoding="utf-8")
    (lesson / "README.md").write_text(PAGE, encoding="utf-8")
    return tmp_path


def test_a_page_has_steps_with_sessions(root: Path) -> None:
    page = root / "lessons" / "01_hello" / "README.md"
    assert [(step.number, step.title) for step in steps(page)] == [
        (1, "Say hello"),
        (2, "Break it"),
    ]
    [plain], [broken] = (step.sessions() for step in steps(page))
    assert (plain.changes, [log.text for log in broken.logs]) == ((), ["TypeError: ...\n"])
    assert [block.source for block in broken.changes] == ["server.py"]
    assert isinstance(plain, Session)


def test_a_log_without_a_session_is_a_mistake_of_the_page(tmp_path: Path) -> None:
    page = tmp_path / "README.md"
    page.write_text("<!-- log -->\n```text\nx\n```\n", encoding="utf-8")
    with pytest.raises(ValueError, match="no session before it"):
        sessions(page)


def test_a_broken_session_without_a_change_is_a_mistake_of_the_page(tmp_path: Path) -> None:
    page = tmp_path / "README.md"
    page.write_text("<!-- broken: app.py -->\n```console\n$ curl x\n```\n", encoding="utf-8")
    with pytest.raises(ValueError, match="no change before it"):
        sessions(page)


def test_a_change_needs_its_old_lines_exactly_once() -> None:
    assert apply_change("a\nb\n", " a\n-b\n+c\n") == "a\nc\n"
    for text in ("", "b\nb\n"):
        with pytest.raises(ValueError, match="not in the file exactly once"):
            apply_change(text, "-b\n+c\n")


def test_a_change_that_does_not_fit_names_page_and_file(root: Path, tmp_path: Path) -> None:
    lesson = root / "lessons" / "01_hello"
    (lesson / "server.py").write_text("pass\n", encoding="utf-8")
    *_, broken = sessions(lesson / "README.md")
    with pytest.raises(ValueError, match=r"01_hello/README\.md:\d+, server\.py: these lines"):
        demo.make_changed_copy(lesson, broken.changes, tmp_path / "copies")


def test_an_excerpt_is_one_definition_or_region(tmp_path: Path) -> None:
    code, settings = tmp_path / "code.py", tmp_path / "nginx.conf"
    code.write_text("class A:\n    @b\n    def c(self): ...\n\n\ndef d(): ...\ndef d(): ...\n")
    settings.write_text("  # region e\n  listen 80;\n  # endregion\n")
    assert excerpt(settings) == settings.read_text()
    assert excerpt(settings, "e") == "listen 80;\n"
    assert excerpt(code, "A.c") == "@b\ndef c(self): ...\n"
    for file, name, problem in (
        (settings, "f", "nginx.conf has no region f"),
        (code, "A.f", "code.py has 0 definitions of A.f"),
        (code, "d", "code.py has 2 definitions of d"),
    ):
        with pytest.raises(LookupError, match=problem):
            excerpt(file, name)


def test_a_session_begins_with_a_command() -> None:
    with pytest.raises(ValueError, match="begins with a command"):
        list(commands("output\n"))


@pytest.mark.service("curl")
def test_a_demo_shows_the_commands_of_the_page_and_what_comes(root: Path) -> None:
    ended = course_process(root, "demo", "01/server")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "$ python3 learn.py run 01/server\nOpen http://localhost:" in ended.stdout
    assert "/\nhello\n(stopped)\n" in ended.stdout
    assert "(started again)" not in ended.stdout
    assert "(the changed copy is started)" in ended.stdout
    assert "With this change of server.py:" in ended.stdout
    assert "500: Internal Server Error" in ended.stdout


@pytest.mark.service("curl")
def test_a_demo_says_that_it_starts_the_script_again(root: Path) -> None:
    """On the page it is the same server; a demo starts it for each part of the page."""
    page = root / "lessons" / "01_hello" / "README.md"
    again = "hello\n```\n\n<!-- session: server.py -->\n```console\n$ curl http://localhost:8888/\nhello"
    page.write_text(PAGE.replace("hello\n```", f"{again}\n```", 1), encoding="utf-8")
    ended = course_process(root, "demo", "01/server")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert ended.stdout.count("(started again)\n$ curl") == 1


@pytest.mark.service("curl")
def test_a_demo_notices_another_output_than_the_page_shows(root: Path) -> None:
    page = root / "lessons" / "01_hello" / "README.md"
    page.write_text(PAGE.replace("/\nhello\n", "/\ngoodbye\n"), encoding="utf-8")
    ended = course_process(root, "demo", "01/server")
    assert ended.returncode == 1
    assert "The page shows another output:\n  goodbye" in ended.stdout


def test_a_demo_starts_a_script_that_ends_by_itself(root: Path) -> None:
    lesson = root / "lessons" / "01_hello"
    write(lesson / "ends.py", "import sys\nprint('given', *sys.argv[1:])\n")
    block = "```console\n$ python3 learn.py run 01/ends --moons=2\ngiven --moons=2\n```\n"
    write(lesson / "README.md", f"# 01\n\n## Step 1: End\n\n<!-- command: ends.py -->\n{block}")
    ended = course_process(root, "demo", "01/ends")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert ended.stdout.endswith(
        "README.md, line 5\n$ python3 learn.py run 01/ends --moons=2\ngiven --moons=2\n"
    )


def test_a_command_names_its_script(tmp_path: Path) -> None:
    page = tmp_path / "README.md"
    page.write_text(
        "<!-- command -->\n```console\n$ python3 learn.py list\n```\n", encoding="utf-8"
    )
    with pytest.raises(ValueError, match="names no script"):
        sessions(page)


def test_a_demo_of_a_script_that_does_not_start_says_why(root: Path) -> None:
    write(root / "lessons" / "01_hello" / "server.py", "raise SystemExit('no such thing')\n")
    ended = course_process(root, "demo", "01/server")
    assert ended.returncode == 1
    assert "learn.py: server.py has printed no address. no such thing" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.service("curl")
def test_a_demo_notices_another_log_than_the_page_shows(root: Path) -> None:
    page = root / "lessons" / "01_hello" / "README.md"
    page.write_text(PAGE.replace("TypeError: ...", "KeyError: ..."), encoding="utf-8")
    ended = course_process(root, "demo", "01/server")
    assert ended.returncode == 1
    assert "The page shows another output:\n  KeyError: ..." in ended.stdout
    assert "TypeError" in ended.stdout


@pytest.mark.service("curl")
def test_a_port_that_another_program_takes_meanwhile_is_replaced(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session, _ = sessions(root / "lessons" / "01_hello" / "README.md")
    choose = ports.free_port
    with socket.create_server(("127.0.0.1", 0)) as other:
        chosen = [other.getsockname()[1]]
        monkeypatch.setattr(
            "course.demo.free_port", lambda port: chosen.pop() if chosen else choose(port)
        )
        results = list(demo.run_session(session))
    assert not chosen
    assert [result.output.strip() for result in results[1:]] == ["hello"]


def test_commands_of_a_session_are_those_of_curl(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(demo.DemoError, match="not: wget http://localhost:8888/"):
        demo.run_command("wget http://localhost:8888/", "8888", 1)
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    with pytest.raises(demo.DemoError, match="needs the program curl"):
        demo.run_command("curl http://localhost:8888/", "8888", 1)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows ends a process without asking it")
def test_a_script_that_ignores_ctrl_c_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo, "STOP_TIMEOUT", 0.1)
    script = tmp_path / "stubborn.py"
    write(
        script,
        "import os, signal, sys\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\n"
        "print(os.getpid())\nprint('Open http://localhost', sys.argv)\nsignal.pause()\n",
    )
    with demo.serving(script, [], 0, tmp_path) as printed:
        process = int(printed.split()[0])
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)


def test_a_script_without_commands_has_no_demo(root: Path) -> None:
    ended = course_process(root, "demo", "01/zebra")
    assert (ended.returncode, ended.stdout) == (
        1,
        "No page of the lesson has commands for 01/zebra.\n",
    )


@pytest.mark.skipif(sys.platform == "win32", reason="Windows ends a process without asking it")
def test_break_makes_the_change_in_a_copy_and_starts_it(root: Path) -> None:
    with running_course(root, "break", "01/server", "--port=0") as process:
        said = read_until(process, "Open http://localhost")
        process.send_signal(signal.SIGINT)
        rest_of_output(process)
    assert '+        self.write(["hello"])' in said
    copy = root / "my_work" / "01_hello" / "broken" / "server" / "01_hello" / "server.py"
    assert 'self.write(["hello"])' in copy.read_text(encoding="utf-8")
    assert (root / "lessons" / "01_hello" / "server.py").read_text("utf-8") == SERVER.lstrip()
    assert "is removed" in course(root, "break", "01/server", "--undo").output
    assert not copy.exists()
    assert "There is no changed copy" in course(root, "break", "01/server", "--undo").output


def test_break_of_a_script_without_a_change_names_one_that_has_it(root: Path) -> None:
    ended = course(root, "break", "01/zebra")
    assert ended.exit_code == 1
    assert "no change to make in 01/zebra. There is one for 01/server." in ended.output


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
def test_restore_puts_a_script_back_and_keeps_the_changed_one(root: Path) -> None:
    script = root / "lessons" / "01_hello" / "server.py"
    for arguments in (
        ["init", "-q"],
        ["add", "."],
        ["-c", "user.name=a", "-c", "user.email=a@example.com", "commit", "-qm", "all"],
    ):
        subprocess.run(["git", *arguments], cwd=root, check=True)
    assert "was not changed" in course(root, "restore", "01/server").output
    script.write_text("mine", encoding="utf-8")
    assert "kept as server.py.bak1" in course(root, "restore", "01/server").output
    assert script.read_text(encoding="utf-8") == SERVER.lstrip()
    assert script.with_name("server.py.bak1").read_text(encoding="utf-8") == "mine"


def test_restore_outside_of_a_clone_says_what_to_do(root: Path) -> None:
    ended = course_process(root, "restore", "01/server")
    assert ended.returncode == 1
    assert ended.stderr.startswith("learn.py: lessons/01_hello/server.py can be restored only in")


def test_a_free_port_is_one_that_no_outgoing_connection_takes() -> None:
    assert ports.free_port(0) in ports.QUIET_PORTS
    with socket.create_server(("127.0.0.1", 0)) as server:
        taken = server.getsockname()[1]
        assert ports.free_port(taken) in ports.QUIET_PORTS
    assert ports.free_port(taken) == taken
