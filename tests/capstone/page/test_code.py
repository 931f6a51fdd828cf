"""Code in messages: where it begins and ends, and that no character of a message is lost."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.capstone.page import javascript

pytestmark = pytest.mark.service("node")

FIND = """
const { findCode } = await import("./text/code.js");
console.log(JSON.stringify(given.map((text) => findCode(text))));
"""
# Without a browser: a part of the page is its text, its links and its code.
DRAW = """
const element = (tag) => ({
    tag, children: [], addEventListener() {}, setAttribute(name, value) { this[name] = value; },
    append(...children) { this.children.push(...children); },
});
globalThis.document = {
    body: { dataset: {} }, documentElement: { lang: "en" }, getElementById: () => element("p"),
    createElement: element, createElementNS: (_, tag) => element(tag),
};
const { messageText } = await import("./views/message_text.js");
const textOf = (node) => typeof node === "string" ? node
    : node.textContent ?? node.children.map(textOf).join("");
const linksIn = (node, inside = false) => typeof node === "string" ? []
    : node.tag === "a" ? [inside] : node.children.flatMap(
        (child) => linksIn(child, inside || node.tag === "code"));
console.log(JSON.stringify(given.map(messageText).map((node) => [textOf(node), linksIn(node)])));
"""

CODE = {
    "`a`": [("inline", "a")],
    "see `a b`, and `c`.": [("inline", "a b"), ("inline", "c")],
    "``a`b``": [("inline", "a`b")],
    "x ```a``` y": [("inline", "a")],
    "```a```": [("block", "a")],
    "```\na\n```": [("block", "a")],
    "```\n  a\n\n  b\n```": [("block", "  a\n\n  b")],
    "```python\nprint(1)\n```": [("block", "print(1)")],
    "```python\r\nprint(1)\r\n```": [("block", "print(1)")],
    "```c++\na\n``` \nb": [("block", "a")],
    "```two words\na\n```": [("block", "two words\na")],
    "look:\n```\n`a`\n```\n`b`": [("block", "`a`"), ("inline", "b")],
    "```\na\n```\n```\nb\n```": [("block", "a"), ("block", "b")],
    "```\na ``` b\n```": [("block", "a ``` b")],
    "```\n```\n```\na\n```": [("block", "a")],
}
NONE = (
    "",
    "`",
    "``",
    "` `",
    "```",
    "``````",
    "```\n```",
    "```\na",
    "`a",
    "`a\nb`",
    "``a`",
    "a```\nb",
)
PIECES = (
    "`",
    "``",
    "```",
    "````",
    "\n",
    "\r\n",
    " ",
    "a",
    "py",
    "https://a.example/",
    "🦆",
    "*_~#>[](<b>",
)
TEXTS = st.lists(st.sampled_from(PIECES), max_size=14).map("".join)


def test_code_is_between_backticks() -> None:
    parts = javascript.run(FIND, [*CODE])
    found = [[(p["kind"], p["code"]) for p in one if p["kind"] != "text"] for one in parts]
    assert dict(zip(CODE, found, strict=True)) == CODE


def test_a_mark_without_its_partner_is_text() -> None:
    parts = javascript.run(FIND, NONE)
    assert [{part["kind"] for part in one} - {"text"} for one in parts] == [set()] * len(NONE)


def test_only_a_single_word_behind_the_fence_names_a_language() -> None:
    texts = ["```python\na\n```", "```\na\n```", "```a```", "```two words\na\n```"]
    parts = javascript.run(FIND, texts)
    assert [one[0]["language"] for one in parts] == ["python", "", "", ""]


@given(st.lists(TEXTS, min_size=300, max_size=500))
@javascript.FEW
def test_no_character_is_lost_and_no_link_is_in_code(texts: list[str]) -> None:
    order = ("open", "language", "gap", "code", "close")
    parts = javascript.run(FIND, texts)
    assert ["".join(part[name] for part in one for name in order) for one in parts] == texts
    drawn = javascript.run(DRAW, texts)
    assert [text for text, _ in drawn] == texts
    assert not any(inside for _, links in drawn for inside in links)


def test_the_first_line_of_a_block_is_the_one_below_the_backticks() -> None:
    lines = {"a\nb": "a", "```python\nprint(1)\n```": "print(1)", "```a```": "```a```", "": ""}
    found = javascript.run(
        """
        globalThis.document = { body: { dataset: {} }, documentElement: { lang: "en" } };
        const { firstLine } = await import("./conversations/event_text.js");
        console.log(JSON.stringify(given.map((text) => firstLine({ text }))));
        """,
        list(lines),
    )
    assert dict(zip(lines, found, strict=True)) == lines


def test_one_line_of_a_list_shows_code_without_its_marks() -> None:
    lines = {"a `b` c": "a b c", "See:\n```sh\nls\n```\nDone": "See:\nls\nDone", "5` x": "5` x"}
    program = """
    const { withoutMarks } = await import("./text/code.js");
    console.log(JSON.stringify(given.map(withoutMarks)));
    """
    assert dict(zip(lines, javascript.run(program, list(lines)), strict=True)) == lines
