"""docs/glossary.md is short, explains each term once, and names what protocol and tables hold."""

import re

from capstone_chat.storage.tables import metadata
from tests.support.checkout import ROOT

TEXT = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
TERMS, _, OTHER_NAMES = TEXT.partition("\n## Other names")
ENTRY = re.compile(r"^\| \*\*(.+?)\*\* \| (.+?) \|", re.M)


def test_the_list_can_be_read_in_one_sitting() -> None:
    assert 25 <= len(ENTRY.findall(TERMS)) <= 40


def test_no_term_is_explained_twice() -> None:
    terms = []
    for names, meaning in ENTRY.findall(TERMS):
        terms += names.split(", ") + re.findall(r"\*(.+?)\*", meaning)
    assert len(terms) > 40
    assert not {term for term in terms if terms.count(term) > 1}


def test_the_other_names_are_those_of_the_protocol_and_of_the_tables() -> None:
    protocol = (ROOT / "capstone_chat" / "PROTOCOL.md").read_text(encoding="utf-8")
    columns = {column.name for table in metadata.tables.values() for column in table.columns}
    rows = [line.split("|")[2:4] for line in OTHER_NAMES.splitlines() if line.startswith("| ")]
    assert len(rows) > 5
    for wire, database in rows[1:]:
        for name in re.findall(r"`(.+?)`", wire):
            assert name in protocol, name
        for name in re.findall(r"`(.+?)`", database):
            assert name.rpartition(".")[2] in columns | {*metadata.tables}, name
