"""A script that fails says so in few lines, with the right exit status."""

import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.course.processes import module_process, running_course
from tests.course.sample_course import write
from tests.support.checkout import ROOT, read_until, rest_of_output

SERVER = '''
"""A server."""
import asyncio
from datetime import timedelta
import tornado.web
from tornado.options import define, options, parse_command_line

async def main():
    define("port", default=8888)
    define("greeting", default="hello")
    define("wait", default=timedelta(seconds=6))
    parse_command_line()
    tornado.web.Application([]).listen(options.port, "127.0.0.1")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()

asyncio.run(main())
'''


PLAIN_SERVER = '''
"""A server without options."""
import asyncio
import tornado.web

async def main():
    tornado.web.Application([]).listen({port}, "127.0.0.1")
    await asyncio.Event().wait()

asyncio.run(main())
'''


def launch(folder: Path, source: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a script with this source through the launcher, to its end."""
    write(folder / "script.py", source)
    return module_process("course.script_launcher", str(folder / "script.py"), *arguments)


def test_a_script_runs_as_if_started_alone(tmp_path: Path) -> None:
    write(tmp_path / "beside.py", "VALUE = 'found beside it'")
    ended = launch(
        tmp_path,
        """
        import sys, beside
        print(__name__, sys.argv[1:], beside.VALUE)
        sys.exit(5)
        """,
        "--port=1",
    )
    assert ended.stdout == "__main__ ['--port=1'] found beside it\n"
    assert ended.returncode == 5
    assert ended.stderr == ""


def test_a_taken_port_is_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        ended = launch(tmp_path, SERVER, f"--port={port}")
    assert ended.returncode == 1
    assert ended.stderr.count("\n") == 1
    assert f"port {port} is in use" in ended.stderr
    assert f"--port={port + 1}" in ended.stderr


def test_a_taken_port_of_a_script_without_options_is_one_line(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ended = launch(tmp_path, PLAIN_SERVER.format(port=port))
    assert ended.returncode == 1
    assert ended.stderr.startswith("learn.py: the port is in use: another program listens on it")
    assert ended.stderr.count("\n") == 1


def test_an_option_for_a_script_that_has_none_is_one_line(tmp_path: Path) -> None:
    ended = launch(tmp_path, PLAIN_SERVER.format(port=0), "--port=9000")
    assert ended.returncode == 2
    assert ended.stderr == "learn.py: script.py has no options, and takes none.\n"


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("--prot=9000", "there is no option --prot. Did you mean --port?"),
        ("--nonsense", "there is no option --nonsense. --help lists all options."),
        ("--port=many", "wrong option in '--port=many': invalid literal for int()"),
        ("--port=99999", "there is no port 99999. Ports end at 65535."),
        ("--port=-1", "there is no port -1. Ports end at 65535."),
        ("port=9000", "'port=9000' is no option. An option begins with --"),
        ("--port", "wrong option in '--port': Option 'port' requires a value"),
        *[
            (f"--wait={text}", f"wrong option in '--wait={text}': a length of time is written")
            for text in ("long", "5x", "1m30s")
        ],
    ],
)
def test_a_wrong_option_is_one_line(tmp_path: Path, option: str, message: str) -> None:
    ended = launch(tmp_path, SERVER, option)
    assert ended.returncode == 2
    assert ended.stderr.startswith(f"learn.py: {message}")
    assert ended.stderr.count("\n") == 1


def test_help_is_the_scripts_own(tmp_path: Path) -> None:
    ended = launch(tmp_path, SERVER, "--help")
    assert ended.returncode == 0
    assert "--greeting" in ended.stderr + ended.stdout


def test_a_missing_package_names_the_line(tmp_path: Path) -> None:
    ended = launch(tmp_path, "import sys\nimport no_such_thing\n")
    assert ended.returncode == 1
    assert "script.py, line 2: No module named 'no_such_thing'" in ended.stderr
    assert "import no_such_thing" in ended.stderr
    assert ended.stderr.count("\n") == 2


def test_a_syntax_error_names_the_line(tmp_path: Path) -> None:
    ended = launch(tmp_path, "x = 1\ndef broken(:\n")
    assert ended.returncode == 1
    assert "script.py, line 2: invalid syntax" in ended.stderr
    assert "def broken(:" in ended.stderr
    assert ended.stderr.count("\n") == 2


def test_an_error_shows_the_scripts_own_lines_only(tmp_path: Path) -> None:
    ended = launch(
        tmp_path,
        """
        import asyncio, json

        async def main():
            return json.loads("{")

        asyncio.run(main())
        """,
    )
    assert ended.returncode == 1
    assert "script.py has failed" in ended.stderr
    assert 'return json.loads("{")' in ended.stderr
    assert "JSONDecodeError: Expecting property name" in ended.stderr
    for library in ("asyncio", "json", "runpy"):
        assert f"{library}/" not in ended.stderr
        assert f"{library}.py" not in ended.stderr
    assert len(ended.stderr.splitlines()) <= 8


def test_the_errors_of_a_task_group_are_shown_one_by_one(tmp_path: Path) -> None:
    ended = launch(
        tmp_path,
        """
        import asyncio

        async def fail(key):
            return {}[key]

        async def main():
            async with asyncio.TaskGroup() as group:
                group.create_task(fail("first"))
                group.create_task(fail("second"))

        asyncio.run(main())
        """,
    )
    assert ended.returncode == 1
    assert "KeyError: 'first'" in ended.stderr
    assert "KeyError: 'second'" in ended.stderr
    assert "ExceptionGroup" not in ended.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
def test_a_server_ends_quietly(tmp_path: Path) -> None:
    for number, code in (signal.SIGINT, 0), (signal.SIGTERM, -signal.SIGTERM):
        with running_course(ROOT, "run", "01/make_app", "--port=0") as process:
            read_until(process, "Open http://localhost")
            process.send_signal(number)
            said = rest_of_output(process)
        assert process.returncode == code, said
        assert said == ""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
def test_ctrl_c_before_the_server_runs_is_quiet_too(tmp_path: Path) -> None:
    ended = launch(tmp_path, "import signal; signal.raise_signal(signal.SIGINT)")
    assert ended.returncode == 130
    assert ended.stderr == ""
