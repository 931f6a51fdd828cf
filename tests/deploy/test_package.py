"""The wheel, the development container and Binder, built from this checkout or read."""

import json
import os
import re
import signal
import subprocess
import sys
import tomllib
import urllib.request
import zipfile
from pathlib import Path

import pytest

from capstone_chat.options import parse
from tests.deploy.stack import ROOT


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel with the backend that pyproject.toml names; uv has it built in."""
    folder = tmp_path_factory.mktemp("wheel")
    uv = Path(sys.executable).with_name("uv")
    build = ("build", "--wheel", "--offline", "--no-cache", "--no-config", "--out-dir", folder)
    subprocess.run([uv, *build, ROOT], check=True, capture_output=True)
    (built,) = folder.glob("*.whl")
    return built


def test_the_wheel_holds_the_chat_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if not name.endswith("/")}
    chat = {name for name in names if ".dist-info/" not in name}
    here = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "capstone_chat").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert chat == here


def test_an_installed_chat_keeps_its_data_where_it_is_started(wheel: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site-packages")
    (tmp_path / "home").mkdir()
    with subprocess.Popen(
        [sys.executable, "-m", "capstone_chat", "--port=0", "--drain=0.01"],
        cwd=tmp_path / "home",
        env=os.environ | {"PYTHONPATH": str(tmp_path / "site-packages")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            found = re.fullmatch(r"Open (http://localhost:\d+)\n", process.stdout.readline())
            assert found, process.communicate()
            for path in "/login", "/static/js/main.js":
                with urllib.request.urlopen(found[1] + path, timeout=30) as response:
                    assert response.status == 200
            process.send_signal(signal.SIGTERM)
            _, said = process.communicate(timeout=30)
            assert process.returncode == 0, said
        finally:
            process.kill()
    assert (tmp_path / "home" / "var" / "chat.db").is_file()
    assert not (tmp_path / "var").exists()


def test_the_development_container_forwards_the_port_of_lessons_and_chat() -> None:
    container = json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text())
    port = parse([]).port
    assert container["forwardPorts"] == [port]
    assert set(container["portsAttributes"]) == {str(port)}
    assert container["onCreateCommand"].split()[:2] == ["python3", "learn.py"]


def test_in_a_codespace_the_forwarded_address_is_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    config = f"--config={ROOT / '.devcontainer' / 'chat.conf'}"
    for name in "CODESPACE_NAME", "GITHUB_CODESPACES_PORT_FORWARDING_DOMAIN":
        monkeypatch.delenv(name, raising=False)
    assert parse([config]).origins == set()
    monkeypatch.setenv("CODESPACE_NAME", "fuzzy-space-1")
    monkeypatch.setenv("GITHUB_CODESPACES_PORT_FORWARDING_DOMAIN", "app.github.dev")
    options = parse([config])
    assert options.origins == {f"https://fuzzy-space-1-{options.port}.app.github.dev"}


def test_binder_installs_the_lock_of_the_notebooks_on_a_python_that_they_run_on() -> None:
    binder = ROOT / "binder"
    lines = (binder / "requirements.txt").read_text().splitlines()
    (lock,) = [line.split()[1] for line in lines if line.startswith("-r ")]
    packages = re.findall(r"^([\w.-]+)==", (binder / lock).read_text(), re.M)
    assert {"nbclient", "matplotlib", "tornado"} <= set(packages)
    major, minor = (binder / "runtime.txt").read_text().strip().removeprefix("python-").split(".")
    assert int(major) == 3
    assert int(minor) >= 11
    assert (binder / "apt.txt").read_text().split() == ["nginx"]
    needs = {
        name
        for notebook in (ROOT / "notebooks").glob("*.ipynb")
        for line in re.findall(r"Needs:\s+([\w, ]+)", notebook.read_text(encoding="utf-8"))
        for name in line.replace(",", " ").split()
    }
    assert needs == {"nginx"}


def test_version_managers_take_the_oldest_python_that_the_course_supports() -> None:
    """All tests run on this version, those that need a server included."""
    named = (ROOT / ".python-version").read_text(encoding="utf-8").strip()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert project["project"]["requires-python"] == f">={named}"
    assert project["tool"]["mypy"]["python_version"] == named
