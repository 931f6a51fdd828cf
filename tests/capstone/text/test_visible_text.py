"""Messages that nobody could see are refused, by one rule on the page and on the server."""

import re
import unittest

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capstone_chat.text import visible_text
from capstone_chat.text.visible_text import is_visible, trim_message
from tests.capstone.page import javascript

WITHOUT_INK = {
    "zero width space": "\u200b",
    "Hangul filler": "\u3164",
    "halfwidth Hangul filler": "\uffa0",
    "Braille blank": "\u2800",
    "left-to-right mark": "\u200e",
    "isolates": "\u2066\u2069",
    "joiners": "\u200c\u200d\u2060\u034f",
    "byte order mark": "\ufeff",
    "soft hyphen": "\xad",
    "variation selectors": "\ufe0f\U000e0101",
    "tags": "\U000e0041\U000e007f",
    "null notehead": "\U0001d159",
    "controls": "\x01\x1c\x1f\x7f\x85",
    "white space": " \t\u00a0\u2003\u2028\u3000",
}
PIECES = st.sampled_from([*"".join(WITHOUT_INK.values()), *"\r\n ab🦆ё、"])


class VisibleTextTest(unittest.TestCase):
    def test_characters_without_ink_alone_are_no_message(self) -> None:
        for name, text in {**WITHOUT_INK, "all": "".join(WITHOUT_INK.values()), "": ""}.items():
            with self.subTest(name):
                self.assertFalse(is_visible(text))
                self.assertTrue(is_visible(f"{text}.{text}"))

    def test_whatever_leaves_a_trace_is_a_message(self) -> None:
        for text in (
            ".",
            "🦆",
            "👨‍👩‍👧",
            "🏴󠁧󠁢󠁥󠁮󠁧󠁿",
            "\u0301",
            " \u0301",
            "ㄱ",
            "\u0600",
            "\ue000",
            "\U000323af",
        ):
            with self.subTest(ascii(text)):
                self.assertTrue(is_visible(text))

    def test_the_first_line_keeps_its_indentation(self) -> None:
        for given_text, kept in (
            ("    a\n  b", "    a\n  b"),
            ("\n  \n\t\n    a \n\n", "    a"),
            ("\r\n\r\n  a\r\n", "  a"),
            ("\u3000段落", "\u3000段落"),
            ("\u200f\u202bشكرا\u202c", "\u200f\u202bشكرا\u202c"),
            (" \n ", ""),
        ):
            with self.subTest(ascii(given_text)):
                self.assertEqual(trim_message(given_text), kept)

    @given(st.text(PIECES))
    def test_trimming_takes_white_space_only_and_once(self, text: str) -> None:
        trimmed = trim_message(text)
        self.assertIn(trimmed, text)
        self.assertEqual(trim_message(trimmed), trimmed)
        before, _, after = text.partition(trimmed) if trimmed else (text, "", "")
        self.assertEqual((before + after).strip(visible_text.WHITE_SPACE), "")
        self.assertEqual(is_visible(trimmed), is_visible(text))


@pytest.mark.service("node")
class TestPageRule:
    """The page's module says the same."""

    def test_every_character_has_ink_on_both_sides_or_on_none(self) -> None:
        without: list[int] = javascript.run(
            """
            const { hasInk } = await import("./text/visible_text.js");
            const without = [];
            for (let point = 0; point <= 0x10ffff; point++) {
                const half = point >= 0xd800 && point <= 0xdfff;
                if (!half && !hasInk(String.fromCodePoint(point))) without.push(point);
            }
            console.log(JSON.stringify(without));
            """
        )
        points = [*range(0xD800), *range(0xE000, 0x110000)]
        assert without == [point for point in points if not is_visible(chr(point))]

    @given(st.lists(st.text(PIECES), min_size=200, max_size=400))
    @javascript.FEW
    def test_both_trim_alike(self, texts: list[str]) -> None:
        trimmed = javascript.run(
            """
            const { trimMessage } = await import("./text/visible_text.js");
            console.log(JSON.stringify(given.map(trimMessage)));
            """,
            texts,
        )
        assert trimmed == [trim_message(text) for text in texts]

    def test_white_space_is_what_unicode_says(self) -> None:
        white = javascript.run(
            """
            const points = Array.from({ length: 0x10000 }, (_, point) => point);
            const text = String.fromCharCode(...points.slice(0, 0xd800));
            console.log(JSON.stringify(text.match(/\\p{White_Space}/gu).join("")));
            """
        )
        assert white == visible_text.WHITE_SPACE
        assert re.fullmatch(r"\s+", visible_text.WHITE_SPACE)
