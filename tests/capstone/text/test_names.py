"""What people may call themselves, and which names are one name."""

import re
import unicodedata
import unittest
from unittest import mock

from hypothesis import given
from hypothesis import strategies as st

from capstone_chat.text import names
from tests.capstone.unicode_data import Form


class NameTest(unittest.TestCase):
    def test_ordinary_names_of_many_scripts_are_allowed(self) -> None:
        for name in (
            "bob",
            "Anna_B",
            "jean-luc",
            "j.doe",
            "小明同学",
            "Мария",
            "José",
            "يوسف",
            "हिन्दी",  # vowel signs and a virama
            "कृष्ण_1",
            "น้ำที่ดี",  # two marks on one letter
            "မြို့တော်",  # four marks in a row
            "தமிழ்",
            "x" * 32,
        ):
            with self.subTest(name=name):
                self.assertIsNone(names.find_username_problem(name))

    def test_marks_stand_on_letters_and_are_few(self) -> None:
        for name in (
            "\u0301anna",
            "anna_\u0301b",
            "123\u0301",
            "anna\u0323\u0323",  # the same mark twice looks like once
            "a\u0323\u0331\u032d\u0330\u0325nna",
        ):
            with self.subTest(name=ascii(name)):
                self.assertEqual(
                    names.find_username_problem(name),
                    "Use letters, digits, dots, dashes and underscores only.",
                )

    def test_a_name_has_3_to_32_characters_however_they_are_written(self) -> None:
        for name in "", "ab", "x" * 33, "ﬃ" * 11:  # one ligature counts as the three letters it is
            with self.subTest(name=name):
                self.assertEqual(names.find_username_problem(name), "Use 3 to 32 characters.")
        self.assertIsNone(names.find_username_problem("ﬃ"))

    def test_names_that_differ_are_two_names(self) -> None:
        self.assertNotEqual(names.canonical_key("zoe"), names.canonical_key("zoë"))
        self.assertNotEqual(names.canonical_key("anna"), names.canonical_key("anna_"))

    @given(st.text())
    def test_a_key_has_itself_as_key(self, text: str) -> None:
        once = names.canonical_key(text)
        self.assertEqual(names.canonical_key(once), once)

    @given(st.text(st.characters(codec="utf-8"), max_size=40))
    def test_what_is_allowed_fits_into_its_columns(self, text: str) -> None:
        name = names.normalize(text)
        if names.find_username_problem(name) is None:
            self.assertLessEqual(len(name), 64)
            self.assertLessEqual(len(names.canonical_key(name)), 128)


class LabelTest(unittest.TestCase):
    def test_a_nickname_may_be_what_can_be_seen(self) -> None:
        for label in "Anna B.", "<script>alert(1)</script>", "🦆 duck", 'O\'Brien "Bob"', "王小明":
            with self.subTest(label=label):
                self.assertIsNone(names.find_label_problem(label, names.MAX_NICKNAME_LENGTH))

    def test_a_label_may_be_what_people_write(self) -> None:
        for label in (
            *(
                "👩\u200d💻",
                "🏳\ufe0f\u200d🌈 club",
                "👨\u200d👩\u200d👧\u200d👦",
                "👁\ufe0f\u200d🗨\ufe0f",
            ),
            *(
                "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
                "🇬🇧",
                "1\ufe0f\u20e3",
            ),
            *("👍🏽", "👩🏾\u200d🚒", "❤\ufe0f", "☎\ufe0e", "©", "#\u20e3", "🧑\u200d🤝\u200d🧑"),
            *("خانه\u200cی ما", "می\u200cروم", "کتاب\u200cها"),  # Persian
            *("क्\u200dष", "क्\u200cष", "ന്\u200d", "র\u200d্যাব", "ශ්\u200dරී"),  # Indic scripts
            *("น้ำที่ดี", "שָּׁ֣לוֹם", "Nguye\u0302\u0303n", "Nguyễn", "လျှို့ဝှက်", "مُحَمَّدٌ", "हिन्दी"),
            "བསྒྲུབས",
        ):
            with self.subTest(label):
                self.assertIsNone(names.find_nickname_problem(names.normalize(label)))
                self.assertIsNone(
                    names.find_label_problem(names.normalize(label), names.MAX_TITLE_LENGTH)
                )

    @given(
        st.text(st.characters(codec="utf-8"))
        | st.text("a1 👩🏽❤🏴\u200c\u200d\ufe0f\u0301\u094dکقक")
    )
    def test_a_label_that_is_allowed_shows_something_and_hides_nothing(self, text: str) -> None:
        label = names.normalize(text)
        if names.find_label_problem(label, names.MAX_TITLE_LENGTH) is None:
            self.assertTrue(label.strip("\u200c\u200d\ufe0f\u0301\u094d "))
            self.assertNotIn("\u200d\u200d", label)
            self.assertNotIn(label[0], "\u200c\u200d\ufe0f\u0301\u094d")
            self.assertEqual(names.normalize(label), label)

    def test_length_is_bounded_on_both_sides(self) -> None:
        self.assertEqual(names.find_label_problem("", 40), "Fill this in.")
        self.assertIsNone(names.find_label_problem("x" * 40, 40))
        self.assertEqual(names.find_label_problem("x" * 41, 40), "Use 40 characters or fewer.")

    def test_a_text_of_any_length_is_looked_at_briefly(self) -> None:
        # Counted, not timed: no more marks are sorted at once than `MAX_MARKS_NORMALIZED`.
        sizes: list[int] = []

        def normalize(form: Form, text: str) -> str:
            marks = re.findall(r"[\u0300-\u036f]+", text)
            sizes.append(max(map(len, marks), default=0))
            return real(form, text)

        real = unicodedata.normalize
        hostile = "a" + "\u0301\u0323" * 50_000
        with mock.patch.object(unicodedata, "normalize", normalize):
            for look in (
                names.canonical_key,
                names.normalize,
                names.find_username_problem,
                names.could_exist,
                lambda text: names.find_label_problem(
                    names.normalize(text), names.MAX_DESCRIPTION_LENGTH
                ),
                names.find_nickname_problem,
            ):
                look(hostile)
        self.assertLessEqual(max(sizes), names.MAX_MARKS_NORMALIZED)
        self.assertEqual(
            names.find_label_problem(names.normalize(hostile), names.MAX_DESCRIPTION_LENGTH),
            "Use 300 characters or fewer.",
        )

    @given(st.text(st.sampled_from("a\u0301\u0323\u1100\u1161ﬃé"), max_size=25))
    def test_normalization_is_that_of_unicode(self, text: str) -> None:
        for form in "NFC", "NFKC":
            expected = unicodedata.normalize(form, text)
            self.assertEqual(names.normalize_unicode(form, text), expected)

    def test_cleaning_takes_blanks_off_the_ends_and_composes(self) -> None:
        self.assertEqual(names.normalize(" \u00a0Jose\u0301\u3000 "), "José")
        self.assertEqual(names.normalize(" \u3000\u2003 "), "")
