"""The files in .github name commands, folders and fields that exist."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.checkout import ROOT

GITHUB = ROOT / ".github"
WORKFLOWS = sorted((GITHUB / "workflows").glob("*.yml"))
FORMS = sorted((GITHUB / "ISSUE_TEMPLATE").glob("[0-9]*.yml"))
FILES = {
    "npm": ["package-lock.json"],
    "docker": ["Dockerfile"],
    "docker-compose": ["compose*.yaml"],
    "devcontainers": [".devcontainer/devcontainer.json"],
    "github-actions": [".github/workflows/*.yml"],
}
"""The files in which Dependabot finds the versions of an ecosystem."""


def read(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def dependabot_folders() -> Iterator[tuple[str, str]]:
    """Yield the ecosystems, each with a folder."""
    for update in read(GITHUB / "dependabot.yml")["updates"]:
        for folder in update.get("directories") or [update["directory"]]:
            yield update["package-ecosystem"], folder.strip("/")


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_the_programs_of_a_workflow_are_in_the_checkout(path: Path) -> None:
    commands = [
        step["run"] for job in read(path)["jobs"].values() for step in job["steps"] if "run" in step
    ]
    assert commands
    for command in commands:
        program = command.split()[1 if command.startswith("python ") else 0]
        assert (ROOT / program).is_file(), command


def test_a_bot_looks_into_folders_that_have_its_files() -> None:
    for ecosystem, folder in dependabot_folders():
        for pattern in FILES[ecosystem]:
            assert [*(ROOT / folder).glob(pattern)], f"{ecosystem}: {folder}"


def test_a_bot_sees_every_image_and_every_package_of_npm() -> None:
    watched = set(dependabot_folders())
    for ecosystem in "npm", "docker", "docker-compose":
        for part in "benchmarks", "capstone_chat", "lessons":
            for file in (ROOT / part).rglob(FILES[ecosystem][0]):
                if "node_modules" not in file.parts:
                    assert (ecosystem, file.parent.relative_to(ROOT).as_posix()) in watched


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.name)
def test_a_form_asks_for_something_and_explains_each_field(path: Path) -> None:
    form = read(path)
    assert form["name"]
    assert form["description"]
    fields = [field for field in form["body"] if field["type"] != "markdown"]
    assert len({field["id"] for field in fields}) == len(fields) > 1
    assert all(field["attributes"]["label"] for field in fields)
    assert any(field.get("validations", {}).get("required") for field in fields)


def test_the_forms_name_commands_that_exist() -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in FORMS)
    assert {*re.findall(r"learn\.py (\S+?)[ `]", text)} == {"check", "--version"}
