"""Links in messages: where an address begins and where people mean it to end."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.capstone.page import javascript

pytestmark = pytest.mark.service("node")

FIND = """
const { findAddresses } = await import("./text/addresses.js");
const found = given.map((text) =>
    findAddresses(text).map(({ start, end, href }) => [text.slice(start, end), href, start, end]));
console.log(JSON.stringify(found));
"""

ENDS = {
    "请看https://example.com/abc，谢谢": ["https://example.com/abc"],
    "（https://example.com）": ["https://example.com"],
    "「https://example.com/a」。": ["https://example.com/a"],
    "【https://example.com/a】": ["https://example.com/a"],
    "https://example.com；https://example.org！": ["https://example.com", "https://example.org"],
    "https://example.com。谢谢": ["https://example.com"],
    "https://example.com上有介绍": ["https://example.com"],
    "https://example.com/a～": ["https://example.com/a"],
    "https://example.com/a——谢谢": ["https://example.com/a"],
    "См. https://example.com/a?b=c&d, потом": ["https://example.com/a?b=c&d"],
    "«https://example.com/a»": ["https://example.com/a"],
    "“https://example.com/a”": ["https://example.com/a"],
    "'https://example.com/a'": ["https://example.com/a"],
    "`https://example.com/a`": ["https://example.com/a"],
    "<https://example.com/a>": ["https://example.com/a"],
    "*https://example.com/a*": ["https://example.com/a"],
    "https://example.com/a…": ["https://example.com/a"],
    "https://example.com/?!": ["https://example.com/"],
    "https://example.com/؟ https://example.com/।": ["https://example.com/"] * 2,
    "(https://example.com/a_(b))": ["https://example.com/a_(b)"],
    "https://example.com/a_(b)_(c)": ["https://example.com/a_(b)_(c)"],
    "[https://example.com/a[1]]": ["https://example.com/a[1]"],
    "(https://example.com/a),(https://example.com/b)": [
        "https://example.com/a",
        "https://example.com/b",
    ],
    "https://example.com/(": ["https://example.com/"],
    "https://example.com(备用)": ["https://example.com"],
    "https://example.com👍": ["https://example.com"],
    "https://example.com._": ["https://example.com"],
    "https://example.com.__._上": ["https://example.com"],
    "https://пример_": ["https://пример"],
    "ann@example.com._上": ["ann@example.com"],
    "https://example.com:8080/a": ["https://example.com:8080/a"],
    "http://localhost:8888/x": ["http://localhost:8888/x"],
    "http://[::1]:8888/a": ["http://[::1]:8888/a"],
    "HTTPS://EXAMPLE.COM/A": ["HTTPS://EXAMPLE.COM/A"],
    "https://ru.wikipedia.org/wiki/Ёлка.": ["https://ru.wikipedia.org/wiki/Ёлка"],
    "https://en.wikipedia.org/wiki/Don’t_Look": ["https://en.wikipedia.org/wiki/Don’t_Look"],
    "https://medium.com/@ann/x": ["https://medium.com/@ann/x"],
    "www.example.com": ["www.example.com"],
    "(www.example.com/a).": ["www.example.com/a"],
    "网址www.example.com，": ["www.example.com"],
    "ann@example.com.": ["ann@example.com"],
    "邮箱ann.b+c@example.co.uk。": ["ann.b+c@example.co.uk"],
    "ann@пример.рф!": ["ann@пример.рф"],
}
NONE = (
    "www.example",
    "www...",
    "awww.example.com",
    "ёwww.example.com",
    "ann@example",
    "ёann@example.com",
    "@ann@example.com",
    "a..b@example.com",
    "xhttps://example.com",
    "ftp://example.com",
    "javascript:alert(1)",
    "https://",
    "https://_",
    "https://_.__上",
    "https://999.999.1.1/",
    "https://example.com:99999/",
    "https://bank.example@evil.example/",
    "https://ann:secret@evil.example/",
)
WORDS = ("https://", "HTTP://", "www.", "@", "ann", "example", ".com", ".рф", "/", "?", "#", ":80")
SIGNS = "，；。）」()[]{}<>«»\"'’`.,:;!?*_~|-%… \n上ёa1é\u200e\u200d\u2066🦆"
TEXTS = st.lists(st.sampled_from([*WORDS, *SIGNS]), max_size=12).map("".join)


def test_links_end_where_people_end_them() -> None:
    found = javascript.run(FIND, [*ENDS])
    shown = [[link[0] for link in links] for links in found]
    assert dict(zip(ENDS, shown, strict=True)) == ENDS


def test_what_is_no_address_stays_text() -> None:
    assert javascript.run(FIND, NONE) == [[]] * len(NONE)


def test_a_link_leads_where_its_text_says() -> None:
    cases = {
        "www.example.com/a": "https://www.example.com/a",
        "ann@example.com": "mailto:ann@example.com",
        "https://пример.рф/ё": "https://xn--e1afmkfd.xn--p1ai/%D1%91",
        # A joiner is a letter of a Persian word; RFC 3987 forbids direction marks.
        "https://example.com/می\u200cخواهم": "https://example.com/%D9%85%DB%8C%E2%80%8C%D8%AE%D9%88%D8"
        "%A7%D9%87%D9%85",
        "\u200ehttps://example.com/a\u200e": "https://example.com/a",
        "\u2066https://example.com/a\u2069": "https://example.com/a",
    }
    found = javascript.run(FIND, [*cases])
    assert [links[0][1] for links in found] == [*cases.values()]


@given(st.lists(TEXTS, min_size=300, max_size=500))
@javascript.FEW
def test_any_text_stays_whole_and_its_links_are_safe(texts: list[str]) -> None:
    parts = javascript.run(
        """
        globalThis.document = { body: { dataset: {} }, createElement: () => ({
            append() {}, addEventListener() {}, setAttribute(name, value) { this[name] = value; },
        }) };
        const { linkify } = await import("./views/links.js");
        console.log(JSON.stringify(given.map((text) => linkify(text).map(
            (part) => typeof part === "string" ? [part] : [part.textContent, part.href]))));
        """,
        texts,
    )
    for text, pieces in zip(texts, parts, strict=True):
        assert "".join(piece[0] for piece in pieces) == text
        for shown, href in (piece for piece in pieces if len(piece) == 2):
            assert href.startswith(("http://", "https://", "mailto:"))
            assert "@" not in href.partition("://")[2].partition("/")[0]  # no credentials
            assert not set(shown) & set('，；。）」<>«»"` \n\u200e\u2066')
            assert shown[-1] not in ".,:;!?*_~|…"
            assert shown.count(")") <= shown.count("(")


def test_no_text_is_looked_at_more_often_than_a_few_times() -> None:
    """The steps of the search for 4000 characters are bounded; a browser is counted, not timed."""
    counts = javascript.run(
        """
        const { findAddresses } = await import("./text/addresses.js");
        let characters = 0;
        const slice = String.prototype.slice;
        String.prototype.slice = function (...place) {
            const part = slice.apply(this, place);
            characters += part.length;
            return part;
        };
        console.log(JSON.stringify(given.map((text) => {
            characters = 0;
            findAddresses(text);
            return characters / text.length;
        })));
        """,
        [
            part * (4000 // len(part))
            for part in ("a@", "@", "http://a/", "www.", "http://a.b/(", "a@b.c ", "()", "a.b@")
        ],
    )
    assert max(counts) <= 64, counts
