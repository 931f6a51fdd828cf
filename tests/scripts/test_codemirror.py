"""The editor of the tour is what scripts/codemirror makes of the packages that it names."""

import hashlib
import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.script_server import ROOT

SOURCE = ROOT / "scripts" / "codemirror"
VENDOR = ROOT / "course" / "tour" / "static" / "vendor"
BUILD = json.loads((VENDOR / "build.json").read_text("utf-8"))


def bundler(folder: Path) -> str | None:
    """Install the packages of a copy of scripts/codemirror; return the path of node.

    Returns:
        None if Node.js, npm or the registry is missing.
    """
    node, npm = shutil.which("node"), shutil.which("npm")
    if not node or not npm:
        return None
    command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries=0"]
    try:
        subprocess.run(command, cwd=folder, capture_output=True, check=True, timeout=60)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
        return None
    return node


def test_the_files_are_those_of_the_build() -> None:
    for name, digest in BUILD["sha256"].items():
        assert hashlib.sha256((VENDOR / name).read_bytes()).hexdigest() == digest, name
    assert {"codemirror.js", "codemirror.LICENSES.txt"} == set(BUILD["sha256"])


def test_the_versions_are_those_of_the_lock_file() -> None:
    lock = json.loads((SOURCE / "package-lock.json").read_text("utf-8"))["packages"]
    versions = BUILD["packages"] | {"esbuild": BUILD["esbuild"]}
    assert versions == {name: lock[f"node_modules/{name}"]["version"] for name in versions}
    named = json.loads((SOURCE / "package.json").read_text("utf-8"))
    for name, version in {**named["dependencies"], **named["devDependencies"]}.items():
        assert versions[name] == version


def test_each_package_has_its_licence() -> None:
    text = (VENDOR / "codemirror.LICENSES.txt").read_text("utf-8")
    for name, version in BUILD["packages"].items():
        _, _, licence = text.partition(f"{name} {version}\n\n")
        assert "Permission is hereby granted, free of charge" in licence[:200], name


def test_a_new_build_is_equal(tmp_path: Path) -> None:
    copy = tmp_path / "codemirror"
    shutil.copytree(SOURCE, copy, ignore=shutil.ignore_patterns("node_modules"))
    node = bundler(copy)
    if node is None:  # without the registry, the hashes above are the test
        return
    made = tmp_path / "made"
    subprocess.run([node, "build.mjs", made], cwd=copy, check=True)
    for name in (*BUILD["sha256"], "build.json"):
        assert (made / name).read_bytes() == (VENDOR / name).read_bytes(), name


@pytest.mark.parametrize("name", ["fetch(", "XMLHttpRequest", "eval(", "new Function", "import("])
def test_the_editor_loads_nothing(name: str) -> None:
    assert name not in (VENDOR / "codemirror.js").read_text("utf-8")
