"""Words that docs/glossary.md has replaced do not come back as names in the page's scripts."""

import re
from collections import Counter
from pathlib import Path

import pytest

from tests.capstone.page.javascript import SCRIPTS

RETIRED = {
    *("hear", "heard", "news", "tell", "told", "say", "said", "speak", "complain", "mishap"),
    *("notice", "ask", "asked", "askForName", "take", "learn", "resume", "early", "look"),
    *("looking", "further", "enter", "leave", "settle", "settled", "begins", "begun", "place"),
    *("places", "face", "meet", "beat", "silence", "lost", "wake", "greeted", "ANSWER_WITHIN"),
    *("answered", "turn", "handOver", "go", "up", "here", "onMove", "machine", "moment", "brief"),
    *("happened", "lastLine", "asOf", "readHeard", "uncertain", "COUNTED", "IDLE_LIMIT"),
    *("Backfill", "catchUp", "Draft", "draftRow", "Entry", "Rows", "MessagesView", "deleting"),
    *("stuck", "arriving", "fresh", "SPAN", "MOST", "NEAR", "KEPT", "call", "changes", "put"),
}
"""Retired names of variables, functions, classes, methods, fields and types; `#` does not count."""

RETIRED_FILES = {
    *("door", "socket", "backfill", "route", "people", "events", "entry", "row", "rows"),
    *("messages", "deleting", "notice", "panel", "status", "browsers", "folding", "visible"),
}

FILES = [path for path in sorted(SCRIPTS.rglob("*.js")) if path.parent.name != "strings"]
"""All but the texts, whose keys are words of the interface."""

TOKEN = re.compile(
    r"""
    (?P<space>\s+ | //[^\n]* | /\*.*?\*/)
  | (?P<string>"(?:\\.|[^"\\])*" | '(?:\\.|[^'\\])*')
  | (?P<regex>(?<![\w$)\]}]) (?<![\w$)\]}][ ]) /(?:\\.|\[(?:\\.|[^\]\\])*\]|[^/\\\[])+/[a-z]*)
  | (?P<key>strings\??\.\w+)
  | (?P<name>[A-Za-z_$][\w$]*)
  | (?P<sign>.)
    """,
    re.VERBOSE | re.DOTALL,
)
"""A part of a script. A `/` behind a name or a bracket divides; else it begins a `regex`."""

TEMPLATE = re.compile(r"(?:\\.|\$(?!\{)|[^`\\$])*(?:`|\$\{)", re.DOTALL)
"""The text of a template, up to its end or to the next expression in it."""

TYPE = re.compile(r"@typedef[^@]*?\} (\w+)")


def names(script: str) -> set[str]:
    """Return the names in a script, without comments, strings and the keys of `strings`."""
    found = set(TYPE.findall(script))
    braces: list[int] = []  # those that are open in the expression of each open template
    at = 0
    while match := TOKEN.match(script, at):
        at, text = match.end(), match[0]
        if match.lastgroup == "name":
            found.add(text)
        if match.lastgroup != "sign":
            continue
        if text == "{" and braces:
            braces[-1] += 1
        elif text == "`" or (text == "}" and braces and braces[-1] == 0):
            part = TEMPLATE.match(script, at)
            assert part, script[at : at + 40]
            at = part.end()
            if text == "`":
                braces.append(0)
            if part[0].endswith("`"):
                braces.pop()
        elif text == "}" and braces:
            braces[-1] -= 1
    return found


def name(path: Path) -> str:
    return path.relative_to(SCRIPTS).as_posix()


@pytest.mark.parametrize("path", FILES, ids=name)
def test_no_retired_word_is_a_name(path: Path) -> None:
    found = names(path.read_text(encoding="utf-8")) & RETIRED
    assert not found, "see docs/glossary.md"


@pytest.mark.parametrize("path", sorted(SCRIPTS.rglob("strings/*.js")), ids=name)
def test_each_text_that_the_scripts_use_is_defined_once_and_no_other(path: Path) -> None:
    keys = re.findall(r"^  (\w+):", path.read_text(encoding="utf-8"), re.MULTILINE)
    assert [key for key, count in Counter(keys).items() if count > 1] == []
    scripts = "".join(each.read_text(encoding="utf-8") for each in FILES)
    assert set(keys) == set(re.findall(r"\bstrings\.(\w+)", scripts)) - {"js"}  # its file


def test_no_retired_word_is_the_name_of_a_file() -> None:
    assert not {path.stem for path in FILES} & RETIRED_FILES


def test_names_are_seen_and_texts_are_not() -> None:
    script = r"""
        /** Ask. @typedef {{say: "ask"}} Ask */
        export class A { #b = /[/"'`]ask/u; c({ d }, ...e) { return this.f / 2 / g; } }
        // ask
        const h = `ask ${i(`${{ j: {} }}`)} say`, k = { "ask": 'ask', l: strings.leave };
        const m = "\"ask", n = (o) => { while (p) { } };
    """
    found = names(script)
    assert {"Ask", *"Abcdefghijklmnop"} <= found
    assert not found & {"ask", "say", "leave"}
