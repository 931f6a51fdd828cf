"""Which names are one name, and what no name may hold."""

import asyncio
import unicodedata
import unittest

import tornado.httpclient
import tornado.testing
import tornado.web

from capstone_chat import names
from tests.capstone.chat_case import ChatCase, Person
from tests.capstone.forms import errors


class NameTest(unittest.TestCase):
    def test_a_name_holds_nothing_that_is_not_seen_or_not_a_letter(self) -> None:
        hostile = {
            "blank": "anna b",
            "zero width space": "anna\u200b",
            "zero width joiner": "an\u200dna",
            "right-to-left override": "anna\u202e",
            "isolate": "\u2066anna\u2069",
            "byte order mark": "\ufeffanna",
            "soft hyphen": "an\u00adna",
            "NUL": "anna\0",
            "line feed": "anna\nroot",
            "tag": "<b>anna",
            "quote": "anna'--",
            "slash": "../anna",
            "lone surrogate": "anna\ud800",
            "private use": "anna\ue000",
            "stacked accents": "a\u0301\u0301\u0301\u0301nna",
            "hangul filler, a letter without a shape": "anna\u3164",
            "half-width hangul filler": "\uffa0\uffa0\uffa0",
            "combining grapheme joiner": "an\u034fna",
            "variation selector": "anna\ufe0f",
            "variation selector of the supplement": "anna\U000e0100",
            "inherent vowel": "\u1780\u17b4\u1780\u1780",
        }
        for what, name in hostile.items():
            with self.subTest(what):
                self.assertEqual(
                    names.name_problem(name),
                    "Use letters, digits, dots, dashes and underscores only.",
                )

    def test_names_that_differ_in_case_or_width_are_one_name(self) -> None:
        twins = [
            ("anna", "ANNA"),
            ("anna", "ａｎｎａ"),  # full width
            ("strasse", "STRAßE"),
            ("σίσυφος", "ΣΊΣΥΦΟΣ"),  # the final sigma
            ("jos\u00e9", "jose\u0301"),  # composed and not
            ("ffi", "ﬃ"),
        ]
        for one, other in twins:
            with self.subTest(one=one, other=other):
                self.assertEqual(names.key(one), names.key(other))


class NicknameTest(unittest.TestCase):
    def test_a_nickname_holds_nothing_that_cannot_be_seen(self) -> None:
        for character in (
            "\u200b\u202e\u2066\ufeff\0\n\r\t\u2028\u2029\x85\ud800\ue000\uffff"
            "\u034f\u115f\u1160\u17b4\u180b\u2800\u3164\ufe00\uffa0\U000e0100"
        ):
            with self.subTest(name=unicodedata.name(character, ascii(character))):
                self.assertEqual(
                    names.label_problem(f"an{character}na", 40),
                    "There are characters in it that cannot be seen.",
                )


class OneNameTest(ChatCase):
    @tornado.testing.gen_test
    async def test_a_name_is_had_once_however_it_is_written(self) -> None:
        await self.person("Stra\u00dfe")
        for twin in "Stra\u00dfe", "STRASSE", "strasse", "ｓｔｒａｓｓｅ", " strasse ":
            with self.subTest(twin=twin):
                response = await Person(self, twin).register()
                self.assertEqual(response.code, 400)
                self.assertEqual(
                    errors(response), {"name": "Somebody has this name. Choose another one."}
                )

    @tornado.testing.gen_test
    async def test_of_two_who_register_one_name_at_once_one_wins(self) -> None:
        people = [Person(self, name) for name in ("anna", "Anna", "ANNA", "ａｎｎａ")]
        responses = await asyncio.gather(*(person.register() for person in people))
        self.assertEqual(sorted(response.code for response in responses), [303, 400, 400, 400])
        for person, response in zip(people, responses, strict=True):
            if response.code == 400:
                self.assertEqual(set(errors(response)), {"name"})
                self.assertNotIn("session", person.cookies)
