"""What people may call themselves, and which names are one name."""

import unittest

from hypothesis import given
from hypothesis import strategies as st

from capstone_chat import names


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
                self.assertIsNone(names.name_problem(name))

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
                    names.name_problem(name),
                    "Use letters, digits, dots, dashes and underscores only.",
                )

    def test_a_name_has_3_to_32_characters_however_they_are_written(self) -> None:
        for name in "", "ab", "x" * 33, "ﬃ" * 11:  # one ligature counts as the three letters it is
            with self.subTest(name=name):
                self.assertEqual(names.name_problem(name), "Use 3 to 32 characters.")
        self.assertIsNone(names.name_problem("ﬃ"))

    def test_names_that_differ_are_two_names(self) -> None:
        self.assertNotEqual(names.key("zoe"), names.key("zoë"))
        self.assertNotEqual(names.key("anna"), names.key("anna_"))

    @given(st.text())
    def test_a_key_has_itself_as_key(self, text: str) -> None:
        once = names.key(text)
        self.assertEqual(names.key(once), once)

    @given(st.text(st.characters(codec="utf-8"), max_size=40))
    def test_what_is_allowed_fits_into_its_columns(self, text: str) -> None:
        name = names.clean(text)
        if names.name_problem(name) is None:
            self.assertLessEqual(len(name), 64)
            self.assertLessEqual(len(names.key(name)), 128)


class LabelTest(unittest.TestCase):
    def test_a_nickname_may_be_what_can_be_seen(self) -> None:
        for label in "Anna B.", "<script>alert(1)</script>", "🦆 duck", 'O\'Brien "Bob"', "王小明":
            with self.subTest(label=label):
                self.assertIsNone(names.label_problem(label, names.NICKNAME_LONGEST))

    def test_length_is_bounded_on_both_sides(self) -> None:
        self.assertEqual(names.label_problem("", 40), "This field is needed.")
        self.assertIsNone(names.label_problem("x" * 40, 40))
        self.assertEqual(names.label_problem("x" * 41, 40), "Use 40 characters or fewer.")

    def test_cleaning_takes_blanks_off_the_ends_and_composes(self) -> None:
        self.assertEqual(names.clean(" \u00a0Jose\u0301\u3000 "), "José")
        self.assertEqual(names.clean(" \u3000\u2003 "), "")
