"""CHANGELOG.md has the form of Keep a Changelog, and names today's protocol and migration."""

import re

from tests.support.lesson_pages import ROOT

TEXT = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
KINDS = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
"""The headings that Keep a Changelog 1.1.0 allows inside a release."""


def newest_entry() -> str:
    return re.split(r"^## ", TEXT, flags=re.M)[1]


def test_each_release_has_a_date_and_known_headings() -> None:
    titles = re.findall(r"^## (.+)$", TEXT, re.M)
    released = [title for title in titles if title != "Unreleased"]
    assert not [t for t in released if not re.fullmatch(r"\d+\.\d+\.\d+ - \d{4}-\d\d-\d\d", t)]
    assert set(re.findall(r"^### (.+)$", TEXT, re.M)) <= KINDS


def test_the_protocol_version_is_that_of_the_protocol() -> None:
    protocol = (ROOT / "capstone_chat" / "PROTOCOL.md").read_text(encoding="utf-8")
    stated = re.search(r"This is version (\d+) of the protocol", protocol)
    assert stated
    assert f"Protocol version {stated[1]}." in newest_entry()


def test_the_newest_migration_is_named() -> None:
    migrations = ROOT / "capstone_chat" / "storage" / "migrations" / "versions"
    newest = max(path.stem for path in migrations.glob("[0-9]*.py"))
    assert f"Newest migration: `{newest}`." in newest_entry()
