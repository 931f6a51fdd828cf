"""Every script of every lesson starts, answers, and stops when asked to."""

import ast
import contextlib
import importlib.util
import signal
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tests.lessons import cases
from tests.lessons.needs import servers_for
from tests.lessons.prose import LESSONS, SCRIPTS, name_of
from tests.lessons.serving import serving
from tests.services import require_needs

STOP = "signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))"

every_script = pytest.mark.parametrize("script", SCRIPTS, ids=name_of)
posix_only = pytest.mark.skipif(
    sys.platform == "win32", reason="Windows ends a process without asking it"
)


def status_of(url: str) -> int:
    """The status that a GET gets, after redirects."""
    try:
        with urllib.request.urlopen(url, timeout=30) as response:
            return response.status
    except urllib.error.HTTPError as error:
        with error:
            return error.code


@posix_only
@every_script
def test_it_serves_and_stops_on_sigterm(script: Path) -> None:
    require_needs(script)
    with servers_for(script), serving(script, new_python=True) as server:
        assert server.output.endswith(f"Open http://localhost:{server.port}\n")
        assert status_of(server.url) == 200, "the address it prints has something to see"
        assert server.stop(signal.SIGTERM) == 0, server.log
        assert "Traceback" not in server.log, server.log


@posix_only
@every_script
def test_it_stops_on_ctrl_c(script: Path) -> None:
    require_needs(script)
    with servers_for(script), serving(script) as server:
        assert server.stop(signal.SIGINT) == 0, server.log
        assert "Traceback" not in server.log, server.log


@posix_only
def test_a_signal_in_the_middle_of_a_request_stops_it_too(tmp_path: Path) -> None:
    # KeyboardInterrupt, raised by a signal handler at this moment, would be lost: HTTP1Connection
    # logs whatever leaves initialize() and goes on.
    app = next(script for script in SCRIPTS if script.name == "app.py").read_text(encoding="utf-8")
    hello = "    def get(self) -> None:\n"
    signalled = "    def initialize(self):\n        signal.raise_signal(signal.SIGTERM)\n\n" + hello
    assert hello in app
    script = tmp_path / "app.py"
    script.write_text(app.replace(hello, signalled), encoding="utf-8")
    with serving(script) as server:
        with contextlib.suppress(OSError):  # the answer may be lost with the server
            urllib.request.urlopen(server.url, timeout=30).close()
        assert server.wait() == 0, server.log


@every_script
def test_it_ends_as_all_scripts_do(script: Path) -> None:
    text = script.read_text(encoding="utf-8")
    assert STOP in text, "see the ending in CONTRIBUTING.md"
    assert 'define("port", default=8888' in text


@every_script
def test_it_says_what_it_shows_and_how_to_run_it(script: Path) -> None:
    name = f"{script.parent.name[:2]}/{script.stem}".removesuffix("/app")
    docstring = ast.get_docstring(ast.parse(script.read_text(encoding="utf-8"))) or ""
    summary, _, rest = docstring.partition("\n")
    assert summary.endswith("."), "the first line is one sentence"
    assert f"python3 learn.py run {name}\n" in rest + "\n" or f"run {name}  " in rest


@every_script
def test_it_exports_make_app_with_a_docstring(script: Path) -> None:
    module = cases.script(script.parent.name, script.stem)
    assert module.make_app.__doc__


@every_script
def test_it_is_short(script: Path) -> None:
    limit = 80 if script.parent.name < "06" else 150
    assert len(script.read_text(encoding="utf-8").splitlines()) <= limit


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
