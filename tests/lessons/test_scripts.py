"""Every script of every lesson starts, answers, and stops when asked to."""

import ast
import importlib.util
import signal
import sys
import urllib.error
import urllib.request
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import pytest

from tests.support import lesson_case
from tests.support.lesson_pages import LESSONS, LESSONS_FOLDER, SCRIPTS, name_of
from tests.support.script_environment import servers_for
from tests.support.script_server import ignored_interrupts, serving
from tests.support.services import require_needs

# The first program that a reader sees is the shortest one: no options, no quiet end, no make_app().
FIRST = LESSONS_FOLDER / "01_hello" / "app.py"
LOOPBACK = {"127.0.0.1", "::1"}
QUIET = "    with contextlib.suppress(KeyboardInterrupt):\n"

every_script = pytest.mark.parametrize("script", SCRIPTS, ids=name_of)
every_later_script = pytest.mark.parametrize(
    "script", [script for script in SCRIPTS if script != FIRST], ids=name_of
)
posix_only = pytest.mark.skipif(
    sys.platform == "win32", reason="Windows ends a process without asking it"
)


def status_of(url: str) -> int:
    """The status that a GET gets, after redirects."""
    try:
        with urllib.request.urlopen(url, timeout=30) as response:
            status: int = response.status
            return status
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def listening(pid: int) -> set[str]:
    """Return the addresses on which a process and those that it has started accept connections."""
    process = psutil.Process(pid)
    return {
        connection.laddr.ip
        for each in (process, *process.children(recursive=True))
        for connection in each.net_connections(kind="tcp")
        if connection.status == psutil.CONN_LISTEN
    }


@posix_only
@every_script
def test_it_serves_and_sigterm_ends_it_in_the_background(script: Path) -> None:
    require_needs(script)
    with servers_for(script), ignored_interrupts(), serving(script, new_python=True) as server:
        assert server.output.endswith(f"Open http://localhost:{server.port}\n")
        assert status_of(server.url) == 200, "the address it prints has something to see"
        assert listening(server.pid) <= LOOPBACK, "it can be reached from other computers"
        assert server.stop(signal.SIGTERM) in (0, -signal.SIGTERM), server.log
        assert "Traceback" not in server.log, server.log


@posix_only
@every_later_script
def test_it_stops_on_ctrl_c(script: Path) -> None:
    require_needs(script)
    with servers_for(script), serving(script) as server:
        assert server.stop(signal.SIGINT) == 0, server.log
        assert "Traceback" not in server.log, server.log


@posix_only
def test_the_first_script_ends_on_ctrl_c_with_the_traceback_that_its_page_tells() -> None:
    with serving(FIRST) as server:
        assert server.stop(signal.SIGINT) != 0
        assert server.log.rstrip().endswith("KeyboardInterrupt")


@every_later_script
def test_it_ends_as_all_scripts_do(script: Path) -> None:
    text = script.read_text(encoding="utf-8")
    assert QUIET in text, "see the ending in CONTRIBUTING.md"
    assert 'define("port", default=8888' in text


@every_script
def test_it_says_what_it_shows_and_how_to_run_it(script: Path) -> None:
    name = f"{script.parent.name[:2]}/{script.stem}".removesuffix("/app")
    docstring = ast.get_docstring(ast.parse(script.read_text(encoding="utf-8"))) or ""
    summary, _, rest = docstring.partition("\n")
    assert summary.endswith("."), "the first line is one sentence"
    assert f"python3 learn.py run {name}\n" in rest + "\n" or f"run {name}  " in rest


@every_later_script
def test_it_exports_make_app_with_a_docstring(script: Path) -> None:
    module = lesson_case.import_script(script.parent.name, script.stem)
    assert module.make_app.__doc__


@every_script
def test_it_imports_nothing_of_another_lesson(script: Path) -> None:
    names: list[str] = []
    for node in ast.walk(ast.parse(script.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names.append(node.module or "")
    assert not [name for name in names if name.partition(".")[0] == "lessons"]


@pytest.mark.parametrize("lesson", LESSONS, ids=name_of)
def test_its_programs_import_what_they_use(lesson: Path) -> None:
    # tornado.locks is there without an import of it in whoever has imported it before: in most of
    # the processes in which the tests run these programs.
    for program in lesson.rglob("*.py"):
        nodes = [*ast.walk(ast.parse(program.read_text(encoding="utf-8")))]
        imported = {
            name.name for node in nodes if isinstance(node, ast.Import) for name in node.names
        }
        used = {
            f"tornado.{node.attr}"
            for node in nodes
            if isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Name)
            and node.value.id == "tornado"
        }
        missing = {name for name in used - imported if importlib.util.find_spec(name)}
        assert not missing, f"{name_of(program)} uses {', '.join(missing)}"


@pytest.mark.parametrize("lesson", LESSONS, ids=name_of)
def test_a_lesson_has_a_readme_an_app_and_exercises(lesson: Path) -> None:
    for name in ("README.md", "app.py", "exercises/exercises.toml"):
        assert (lesson / name).is_file(), name
