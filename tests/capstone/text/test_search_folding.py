"""Equal letters for a search: one rule in the database, on the server and on the page."""

import unicodedata
import unittest
from unittest import mock
from urllib.parse import quote

import pytest
import tornado.testing
from hypothesis import example, given
from hypothesis import strategies as st

from capstone_chat.text import search_folding
from capstone_chat.text.search_folding import fold
from tests.capstone.chat_case import ChatCase
from tests.capstone.page import javascript
from tests.capstone.unicode_data import Form

EQUAL = (
    ("ёлка", "елка"),
    ("ЁЛКА", "елка"),
    ("е\u0308лка", "елка"),
    ("don’t", "don't"),
    ("п’ять", "пʼять"),
    ("«да» — нет", '"да" - нет'),
    ("naïve café", "NAIVE CAFE"),
    ("Straße", "STRASSE"),
    ("STRAẞE", "strasse"),
    ("Σίσυφος", "σισυφοσ"),
    ("ｇａｒｄｅｎ１", "garden1"),
    ("при\u00advet\u200b", "приvet"),
    ("мно\u0301го", "много"),
    ("two\u00a0\n words", "two words"),
    ("كِتَاب", "كتاب"),
    ("שָׁלוֹם", "שלום"),
    ("ﬁn", "fin"),
    ("\u200eабв\u200f", "абв"),
)
DIFFERENT = (
    ("й", "и"),
    ("Й", "и"),
    ("май", "маи"),
    ("か", "が"),
    ("कु", "क"),
    ("≠", "="),
    ("ø", "o"),
    ("简", "簡"),
)
LETTERS = st.sampled_from(
    "еёЕЁиИйЙıiIİßẞςΣσ’'“\"—-– \n\u00a0\u3000aáÅﬁ\u0301\u0306\u0308\u0316\u20dd\u0338\u200d\ufe0f"
    "かが\u3099한\u1100\u1161\u11a8क\u093c\u093f\u094d\ufdfa\u0345ΐŉǰ\u0344ᏸᎰꭰ\U0001e900𝐀字。"
)
TEXTS = st.text(LETTERS | st.characters(codec="utf-8"), max_size=25)  # fewer than MAX_MARKS


class FoldingTest(unittest.TestCase):
    def test_letters_that_readers_take_for_one_are_one(self) -> None:
        for one, other in EQUAL:
            with self.subTest(one=one):
                self.assertEqual(fold(one), fold(other))

    def test_letters_of_their_own_stay(self) -> None:
        for one, other in DIFFERENT:
            with self.subTest(one=one):
                self.assertNotEqual(fold(one), fold(other))
                self.assertNotIn(fold(one), fold(other))

    @given(st.text())
    @example("и\u0316\u0306")
    @example("İ\u0307")
    def test_a_folded_text_folds_to_itself(self, text: str) -> None:
        self.assertEqual(fold(fold(text)), fold(text))

    @given(st.text(), st.text(), st.text())
    def test_a_message_is_found_by_its_own_words(self, before: str, word: str, after: str) -> None:
        self.assertIn(fold(word), fold(f"{before} {word} {after}"))

    @given(
        st.text(LETTERS | st.sampled_from("\uff9e\U0001d160\uac01"), max_size=25), st.integers(1, 9)
    )
    def test_a_text_that_is_decomposed_in_pieces_is_the_same(self, text: str, piece: int) -> None:
        with mock.patch.object(search_folding, "CHUNK_SIZE", piece):
            found = search_folding._decompose(text)
        self.assertEqual(found, unicodedata.normalize("NFKD", text))

    def test_what_would_be_cut_off_is_not_decomposed(self) -> None:
        with mock.patch.object(search_folding, "unicodedata", wraps=unicodedata) as patched:
            fold("\ufdfa" * 4000)
        decomposed = sum(
            len(call.args[1])
            for call in patched.normalize.call_args_list
            if call.args[0] == "NFKD" and len(call.args[1]) > 1
        )
        self.assertLessEqual(decomposed, 1000)

    def test_no_long_run_of_marks_is_sorted(self) -> None:
        normalized: list[str] = []

        def normalize(form: Form, text: str) -> str:
            normalized.append(text)
            return unicodedata.normalize(form, text)

        marks = ("\u0301\u0316", "\u0e38\u0e48", "\u05b0\u05b1", "\u0344", "\u3099\u0334")
        between = ("", "\u200d", "\u034f", "\u20dd", "\u0301")
        with mock.patch.object(search_folding, "unicodedata", wraps=unicodedata) as patched:
            patched.normalize = normalize
            for two in marks:
                for sign in between:
                    fold(f"a{(two * 10 + sign) * 190}")
        longest = max(map(longest_run, normalized))
        self.assertLessEqual(longest, 2 * search_folding.MAX_MARKS)  # a mark may become two


def longest_run(text: str) -> int:
    """Return the number of combining marks that stand in a row at the most."""
    runs = "".join("m" if unicodedata.combining(character) else " " for character in text)
    return max(map(len, runs.split(" ")))


class FindingTest(ChatCase):
    """The same on SQLite, MariaDB and PostgreSQL."""

    options = {"send_burst": 1000, "request_burst": 1000}  # noqa: RUF012

    @tornado.testing.gen_test
    async def test_messages_are_found_by_equal_letters(self) -> None:
        anna = await self.person("anna")
        conv = await anna.group()
        line = await anna.connect()

        async def found(query: str) -> list[str]:
            path = f"/api/conversations/{conv}/search?query={quote(query)}"
            _, answer = await anna.call("GET", path)
            return [event["text"] for event in answer["events"]]

        for number, (one, other) in enumerate((*EQUAL, *DIFFERENT)):
            texts = [f"{number}: {text} /" for text in (one, other)]
            for text in texts:
                await line.send(conv, text)
                await line.receive("ack")
            expected = texts[::-1] if number < len(EQUAL) else texts[:1]
            with self.subTest(one=one):
                self.assertEqual(await found(texts[0]), expected)
        self.assertEqual(await found("\u200b\u2060"), [])

    @tornado.testing.gen_test
    async def test_groups_are_found_by_equal_letters(self) -> None:
        anna = await self.person("anna")
        for title in "Ёлочные игрушки", "Tom’s café":
            conv = await anna.group(title)
        await anna.call("PATCH", f"/api/groups/{conv}", {"title": "Ann’s café"})
        for query, title in ("елочн", "Ёлочные игрушки"), ("ann's CAFE", "Ann’s café"):
            _, answer = await anna.call("GET", f"/api/groups?query={quote(query)}")
            self.assertEqual([group["title"] for group in answer["groups"]], [title])


@pytest.mark.service("node")
class TestPageRule:
    """The page's module says the same, and so does CLDR."""

    @given(st.lists(TEXTS, min_size=150, max_size=300))
    @javascript.FEW
    def test_both_fold_alike(self, texts: list[str]) -> None:
        texts += [text for pair in (*EQUAL, *DIFFERENT) for text in pair]
        known = [t for t in texts if not any(unicodedata.category(c) == "Cn" for c in t)]
        folded = javascript.run(
            """
            const { fold } = await import("./text/search_folding.js");
            console.log(JSON.stringify(given.map(fold)));
            """,
            known,
        )
        assert folded == [fold(text) for text in known]

    def test_the_ignored_marks_have_no_primary_weight_in_cldr(self) -> None:
        ignored = [
            chr(point)
            for point in range(0x300, 0x20000)
            if unicodedata.category(chr(point)).startswith("M") and not fold(f"a{chr(point)}")[1:]
        ]
        assert len(ignored) > 250
        weighty = javascript.run(
            """
            const root = new Intl.Collator("und", { usage: "search", sensitivity: "base" });
            console.log(JSON.stringify(given.filter((mark) => root.compare(`a${mark}b`, "ab"))));
            """,
            ignored,
        )
        assert weighty == []

    def test_letters_lose_their_accents_only_where_cldr_says_that_they_are_the_same(self) -> None:
        letters = [
            letter
            for letter in map(chr, range(0x80, 0x3000))
            if unicodedata.category(letter).startswith("L")
            and unicodedata.normalize("NFD", letter) != letter
        ]
        assert len(letters) > 800
        pairs = [[letter, fold(letter)] for letter in letters]
        others = javascript.run(
            """
            const root = new Intl.Collator("und", { usage: "search", sensitivity: "base" });
            const fine = ([letter, folded]) => root.compare(letter, folded) === 0;
            console.log(JSON.stringify(given.filter((pair) => !fine(pair)).map(([one]) => one)));
            """,
            pairs,
        )
        assert others == []

    def test_what_was_found_is_marked_in_the_text_as_it_was_written(self) -> None:
        cases = [
            ("Наша ёлка!", "ЕЛКА", "ёлка"),
            ("Наша е\u0308лка!", "елк", "е\u0308лк"),
            ("I don’t know", "DON'T", "don’t"),
            ("Straße", "ss", "ß"),
            ("🦆🦆 Ёж", "еж", "Ёж"),
            ("сло\u00adво", "слово", "сло\u00adво"),
            ("caf\u0065\u0301s", "cafe", "caf\u0065\u0301"),
            ("йод", "иод", None),
            ("text", "", None),
            ("text", "\u200b", None),
        ]
        marked = javascript.run(
            """
            const { findFolded } = await import("./text/search_folding.js");
            console.log(JSON.stringify(given.map(([text, query]) => {
                const place = findFolded(text, query);
                return place && text.slice(...place);
            })));
            """,
            [case[:2] for case in cases],
        )
        assert marked == [case[2] for case in cases]

    @given(st.lists(st.tuples(TEXTS, TEXTS, TEXTS), min_size=80, max_size=150))
    @javascript.FEW
    def test_the_marked_place_holds_the_query(self, cases: list[tuple[str, str, str]]) -> None:
        texts = [[f"{before}·{word}·{after}", word] for before, word, after in cases]
        marked = javascript.run(
            """
            const { findFolded, fold } = await import("./text/search_folding.js");
            console.log(JSON.stringify(given.map(([text, query]) => {
                const place = findFolded(text, query);
                return fold(query) === "" ? place === null
                    : fold(text.slice(...place)).includes(fold(query));
            })));
            """,
            texts,
        )
        assert marked == [True] * len(texts)
