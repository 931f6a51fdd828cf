"""scripts/newest reports what differs from the locked packages, and what broke."""

import subprocess
from pathlib import Path
from types import ModuleType

import pytest

from tests.support.script_modules import load

LOCKED = """
numpy==2.4.6 ; python_full_version < '3.12' \\
    --hash=sha256:00
numpy==2.5.5 ; python_full_version >= '3.12' \\
psycopg[binary]==3.3.0 \\
tornado==6.6.0 \\
"""
NEWEST = """
new==1.0
numpy==2.5.5
psycopg[binary]==3.3.0
    # via learn-tornado (pyproject.toml)
tornado==6.7.0
"""


@pytest.fixture(name="newest")
def _newest() -> ModuleType:
    return load("newest")


@pytest.fixture(name="root")
def _root(newest: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A checkout in which `uv` only writes the list of packages, and both steps are `steps`."""
    uv = tmp_path / ".venv" / "bin" / "uv"
    uv.parent.mkdir(parents=True)
    uv.touch()
    (tmp_path / "requirements").mkdir()
    (tmp_path / "requirements" / "dev.txt").write_text(LOCKED, encoding="utf-8")
    monkeypatch.setattr(newest, "ROOT", tmp_path)
    monkeypatch.setattr(newest, "CACHE", tmp_path / "cache")
    return tmp_path


def play(
    newest: ModuleType, monkeypatch: pytest.MonkeyPatch, **codes: int
) -> list[tuple[str, list[str]]]:
    """Replace all programs; return the list of their calls.

    Args:
        newest: the module of the script.
        monkeypatch: restores the module after the test.
        codes: the exit statuses of `uv`, of the script `check`, and of `pytest`.
    """
    calls = []

    def run(
        command: list[str | Path], *, check: bool, **options: object
    ) -> subprocess.CompletedProcess[str]:
        words = [str(word) for word in command]
        name = {"scripts/check": "check", "-m": "pytest"}.get(words[1], "uv")
        calls.append((name, words[1:]))
        for word in words:
            if word.startswith("--output-file="):
                Path(word.partition("=")[2]).write_text(NEWEST, encoding="utf-8")
        code = codes.get(name, 0)
        if check and code:
            raise subprocess.CalledProcessError(code, words)
        return subprocess.CompletedProcess(words, code)

    monkeypatch.setattr(newest.subprocess, "run", run)
    return calls


def test_a_package_differs_if_no_locked_version_is_the_newest(newest: ModuleType) -> None:
    lines = newest.differences(newest.pins(LOCKED), newest.pins(NEWEST))
    assert [line.split() for line in lines] == [["new", "-", "1.0"], ["tornado", "6.6.0", "6.7.0"]]


@pytest.mark.usefixtures("root")
class TestSteps:
    def test_both_steps_use_the_new_environment(
        self,
        newest: ModuleType,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        calls = play(newest, monkeypatch)
        assert newest.main(["tests/browser"]) == 0
        assert [name for name, _ in calls] == ["uv", "uv", "uv", "check", "pytest"]
        installed = next(word for word in calls[2][1] if word.startswith("--python="))
        assert calls[3][1] == ["scripts/check", installed]
        assert calls[4][1][-1] == "tests/browser"
        output = capsys.readouterr().out
        assert output.count("tornado                  6.6.0            6.7.0") == 2
        assert output.endswith("passed\n")

    @pytest.mark.parametrize("broken", ["check", "pytest"])
    def test_a_step_that_fails_does_not_hide_the_other(
        self, newest: ModuleType, monkeypatch: pytest.MonkeyPatch, broken: str
    ) -> None:
        calls = play(newest, monkeypatch, **{broken: 1})
        assert newest.main([]) == 1
        assert [name for name, _ in calls][-2:] == ["check", "pytest"]

    def test_packages_that_do_not_fit_are_an_error_of_their_own(
        self, newest: ModuleType, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        calls = play(newest, monkeypatch, uv=1)
        assert newest.main([]) == 2
        assert len(calls) == 1


def test_versions_before_a_release_are_asked_for(
    newest: ModuleType, monkeypatch: pytest.MonkeyPatch, root: Path
) -> None:
    calls = play(newest, monkeypatch)
    newest.install(root / "uv", root / "cache", prerelease=True)
    assert "--prerelease=allow" in calls[1][1]


def test_without_an_environment_it_says_how_to_make_one(
    newest: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(newest, "ROOT", tmp_path)
    assert newest.main([]) == 2
    assert "python3 learn.py test --version" in capsys.readouterr().err


def test_the_tests_exist(newest: ModuleType) -> None:
    root = Path(__file__).resolve().parents[2]
    assert not [path for path in newest.TESTS if not (root / path).exists()]
