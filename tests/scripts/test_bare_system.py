"""scripts/bare_system reads the README itself, and says in one line why it cannot run."""

import os
import socket
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from tests.support.script_modules import load, path_of
from tests.support.script_server import ROOT

SECTION = """
## Two commands

Start it, then open http://localhost:8888 and look:

```console
python3 one.py
```

Run the tests:

```console
python3 two.py
python3 three.py
```

## Learn

```console
python3 four.py
```

## The chat

At http://localhost:9000:

```console
python3 five.py
```
"""


@pytest.fixture(name="bare_system")
def _bare_system() -> ModuleType:
    return load("bare_system")


def test_the_section_and_nothing_else_is_read(bare_system: ModuleType) -> None:
    found = [(each.line, each.address) for each in bare_system.commands(SECTION)]
    assert found == [
        ("python3 one.py", "http://localhost:8888"),
        ("python3 two.py", None),
        ("python3 three.py", None),
        ("python3 five.py", "http://localhost:9000"),
    ]


def test_the_readme_has_the_tour_the_tests_and_the_chat(bare_system: ModuleType) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert [(each.line, each.address) for each in bare_system.commands(readme)] == [
        ("python3 learn.py", "http://localhost:8880"),
        ("python3 learn.py test", None),
        ("python3 learn.py chat --demo", "http://localhost:8888"),
        ("python3 learn.py chat", "http://localhost:8888"),
        ("python3 learn.py chat --port=9000 --data=my_chat", "http://localhost:9000"),
        ("python3 learn.py chat --help", None),
    ]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("python3 learn.py", "python3 learn.py tour --port={port}"),
        (
            "python3 learn.py chat --port=9000 --data=x",
            "python3 learn.py chat --port={port} --data=x",
        ),
    ],
)
def test_a_server_gets_another_port_where_its_program_reads_it(
    bare_system: ModuleType, line: str, expected: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        server = bare_system.Command(line, f"http://localhost:{taken.getsockname()[1]}")
        other = bare_system.on_free_port(server)
    assert other.line == expected.format(port=other.address.rpartition(":")[2])


@pytest.mark.parametrize("readme", ["", SECTION.replace("Two", "2"), "## Two commands\n\nnone\n"])
def test_a_readme_without_commands_is_an_error(bare_system: ModuleType, readme: str) -> None:
    with pytest.raises(ValueError, match="no commands in a section 'Two commands'"):
        bare_system.commands(readme)


def test_a_taken_port_is_replaced(bare_system: ModuleType) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        server = bare_system.Command("serve", f"http://localhost:{port}")
        other = bare_system.on_free_port(server)
    assert other.line == f"serve --port={other.address.rpartition(':')[2]}"
    assert other.address != server.address
    assert bare_system.on_free_port(server) == server, "once it is free"
    tests = bare_system.Command("test", None)
    assert bare_system.on_free_port(tests) == tests


def test_settings_of_the_network_are_taken_along_and_no_others(
    bare_system: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "https://pip.example/simple")
    monkeypatch.setenv("PIP_EXTRA_INDEX_URL", "file:///here")
    monkeypatch.setenv("PIP_CONSTRAINT", "/here/constraints.txt")
    monkeypatch.setenv("PIP_USER", "1")
    monkeypatch.setenv("https_proxy", "http://proxy.example:3128")
    found = bare_system.network()
    assert found["PIP_INDEX_URL"] == "https://pip.example/simple"
    assert found["https_proxy"] == "http://proxy.example:3128"
    assert not found.keys() & {"PIP_EXTRA_INDEX_URL", "PIP_CONSTRAINT", "PIP_USER"}


@pytest.mark.skipif(sys.platform == "win32", reason="the script is for Linux")
def test_without_root_it_says_so_in_one_line(
    bare_system: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert bare_system.main(["trixie"]) == 2
    assert capsys.readouterr().err == (
        "bare_system: needs root on Linux: sudo scripts/bare_system SUITE\n"
    )


@pytest.mark.skipif(sys.platform != "linux", reason="the script is for Linux")
def test_without_debootstrap_it_says_so_in_one_line(
    bare_system: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr("shutil.which", lambda name: None)
    assert bare_system.main(["trixie"]) == 2
    assert capsys.readouterr().err == (
        "bare_system: debootstrap is missing: apt-get install debootstrap\n"
    )


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no mode of execution")
def test_it_can_be_started() -> None:
    done = subprocess.run([path_of("bare_system"), "--help"], capture_output=True, encoding="utf-8")
    assert done.returncode == 0
    assert "trixie" in done.stdout


DOCKERFILE = """
# A comment.
FROM base
RUN one \\
    && two
  # Another one.
USER chat
"""


def test_an_instruction_of_a_dockerfile_may_take_several_lines(bare_system: ModuleType) -> None:
    assert bare_system.instructions(DOCKERFILE) == [
        ("FROM", "base"),
        ("RUN", "one && two"),
        ("USER", "chat"),
    ]


@pytest.mark.parametrize(
    ("path", "out"),
    [
        ("README.md", True),
        ("capstone_chat/app.py", False),
        ("capstone_chat/web/__pycache__/app.pyc", True),
        ("capstone_chat/deploy/chat.conf", True),
        ("requirements/chat.txt", False),
    ],
)
def test_dockerignore_decides_what_is_copied(
    bare_system: ModuleType, tmp_path: Path, path: str, out: bool
) -> None:
    rules = "*\n!capstone_chat\n!requirements\ncapstone_chat/deploy\n**/__pycache__\n"
    ignore_file = tmp_path / f"{bare_system.DOCKERFILE}.dockerignore"
    ignore_file.parent.mkdir(parents=True)
    ignore_file.write_text(rules)
    (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / path).touch()
    top = path.split("/")[0]
    bare_system.copy_in(tmp_path, top, tmp_path / "image" / top)
    assert (tmp_path / "image" / path).exists() is not out


@pytest.mark.skipif(sys.platform != "linux", reason="the script is for Linux")
def test_a_step_of_the_dockerfile_that_fails_is_named(
    bare_system: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "trixie").mkdir()

    def build(*_args: object) -> None:
        raise subprocess.CalledProcessError(127, "RUN nothing")

    monkeypatch.setattr(bare_system, "build", build)
    outcome = bare_system.play_dockerfile(tmp_path / "trixie", {})
    assert (outcome.works, outcome.said) == (False, "exit status 127: RUN nothing")
    assert not (tmp_path / "trixie.image").exists()
