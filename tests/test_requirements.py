"""The locks can be trusted, work anywhere, and hold what pyproject.toml asks for."""

import itertools
import re
import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.course.checkout import ROOT

PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
EXTRAS = PYPROJECT["project"]["optional-dependencies"]
RUNTIME = PYPROJECT["project"]["dependencies"] + [*itertools.chain(*EXTRAS.values())]
DEV = PYPROJECT["dependency-groups"]["dev"]


def lock(kind: str) -> str:
    return (ROOT / "requirements" / f"{kind}.txt").read_text(encoding="utf-8")


def locked(kind: str) -> list[Requirement]:
    """The pinned packages; one may come twice, for different Pythons or systems."""
    lines = re.findall(r"^[^\s#].*?(?= \\$)", lock(kind), re.M)
    return [Requirement(line) for line in lines]


@pytest.mark.parametrize("kind", ["runtime", "dev"])
def test_every_package_is_pinned_with_hashes(kind: str) -> None:
    entries = re.split(r"^(?=[^\s#])", lock(kind), flags=re.M)[1:]
    assert len(entries) == len(locked(kind)) > 10
    for entry in entries:
        assert re.match(r"[\w.\-\[\],]+==[\w.]+", entry), entry
        assert re.search(r"--hash=sha256:[0-9a-f]{64}\b", entry), entry


@pytest.mark.parametrize("kind", ["runtime", "dev"])
def test_no_lock_holds_an_address(kind: str) -> None:
    # They would send everybody to the place where the lock was made.
    assert not re.search(r"://|@ |--(extra-)?index|--find-links|file:", lock(kind))


@pytest.mark.parametrize(("kind", "wanted"), [("runtime", RUNTIME), ("dev", RUNTIME + DEV)])
def test_a_lock_satisfies_pyproject(kind: str, wanted: list[str]) -> None:
    pins = [(canonicalize_name(pin.name), str(pin.specifier)) for pin in locked(kind)]
    for requirement in map(Requirement, wanted):
        versions = [pin[2:] for name, pin in pins if name == canonicalize_name(requirement.name)]
        assert versions, f"{requirement} is not in {kind}.txt: see requirements/README.md"
        for version in versions:
            assert requirement.specifier.contains(version), f"{requirement}, but {version}"


def test_dev_holds_all_of_runtime_in_the_same_versions() -> None:
    # learn.py takes an environment made from dev.txt for one that has runtime.txt too.
    dev = {(pin.name, str(pin.specifier)) for pin in locked("dev")}
    assert {(pin.name, str(pin.specifier)) for pin in locked("runtime")} <= dev
