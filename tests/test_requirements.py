"""The locks can be trusted, work anywhere, and hold what pyproject.toml asks for."""

import itertools
import re
import tomllib
from importlib import metadata

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from course.environment import KINDS
from tests.support.checkout import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
WANTED = {
    "chat": PROJECT["dependencies"],
    "lessons": PROJECT["dependencies"] + EXTRAS["lessons"],
    "dev": PROJECT["dependencies"] + [*itertools.chain(*EXTRAS.values())],
}


def lock(kind: str) -> str:
    return (ROOT / "requirements" / f"{kind}.txt").read_text(encoding="utf-8")


def locked(kind: str) -> list[Requirement]:
    """The pinned packages; one may come twice, for different Pythons or systems."""
    lines = re.findall(r"^[^\s#].*?(?= \\$)", lock(kind), re.M)
    return [Requirement(line) for line in lines]


@pytest.mark.parametrize("kind", KINDS)
def test_every_package_is_pinned_with_hashes(kind: str) -> None:
    entries = re.split(r"^(?=[^\s#])", lock(kind), flags=re.M)[1:]
    assert len(entries) == len(locked(kind)) > 10
    for entry in entries:
        assert re.match(r"[\w.\-\[\],]+==[\w.]+", entry), entry
        assert re.search(r"--hash=sha256:[0-9a-f]{64}\b", entry), entry


@pytest.mark.parametrize("kind", KINDS)
def test_no_lock_holds_an_address(kind: str) -> None:
    # They would send everybody to the place where the lock was made.
    assert not re.search(r"://|@ |--(extra-)?index|--find-links|file:", lock(kind))


@pytest.mark.parametrize(("kind", "wanted"), [*WANTED.items()])
def test_a_lock_satisfies_pyproject(kind: str, wanted: list[str]) -> None:
    pins = [(canonicalize_name(pin.name), str(pin.specifier)) for pin in locked(kind)]
    for requirement in map(Requirement, wanted):
        versions = [pin[2:] for name, pin in pins if name == canonicalize_name(requirement.name)]
        assert versions, f"{requirement} is not in {kind}.txt: see requirements/README.md"
        for version in versions:
            assert requirement.specifier.contains(version), f"{requirement}, but {version}"


@pytest.mark.parametrize(("smaller", "larger"), [*itertools.pairwise(KINDS)])
def test_a_list_holds_all_of_the_one_before_it(smaller: str, larger: str) -> None:
    # learn.py takes an environment made from dev.txt for one that has the other lists too.
    pins = {(pin.name, str(pin.specifier)) for pin in locked(larger)}
    assert {(pin.name, str(pin.specifier)) for pin in locked(smaller)} <= pins


def test_a_production_host_gets_nothing_that_only_lessons_or_tests_need() -> None:
    chat = {canonicalize_name(pin.name) for pin in locked("chat")}
    assert not chat & {"pymongo", "pyjwt", "watchfiles", "psycopg", "pytest", "pydantic"}


def test_what_is_imported_after_an_installation_is_what_pyproject_names() -> None:
    imports = tomllib.loads((ROOT / "requirements" / "imports.toml").read_text(encoding="utf-8"))
    assert tuple(imports) == KINDS
    homes = metadata.packages_distributions()
    for kind, modules in imports.items():
        others = WANTED.get("lessons" if kind == "dev" else "chat", []) if kind != "chat" else []
        names = {canonicalize_name(Requirement(one).name) for one in WANTED[kind]} - {
            canonicalize_name(Requirement(one).name) for one in others
        }
        found = {canonicalize_name(name) for module in modules for name in homes[module]}
        assert names - {"jupyter"} <= found, "jupyter has no module of its own: jupyterlab"
