"""What a good password is; how often one may ask whether a name is free."""

import re
import unittest

import tornado.httpclient
import tornado.testing
import tornado.web

from capstone_chat.accounts import passwords
from tests.capstone.chat_case import ChatCase, Person

GOOD = "correct horse battery"


class ProblemTest(unittest.TestCase):
    def test_good_passwords_need_no_digits_or_signs(self) -> None:
        for password in GOOD, "пароль из слов", "我的密码很长很安全", "x7 " * 42, "a b c d e":
            with self.subTest(password=password):
                self.assertIsNone(passwords.find_problem(password, "anna"))

    def test_length_is_8_to_128_after_normalization(self) -> None:
        for password in "", "short 7", "ﬀ" * 65:  # 65 ligatures are 130 letters
            with self.subTest(password=password):
                self.assertIn(
                    passwords.find_problem(password),
                    ("Use 8 characters or more.", "Use 128 characters or fewer."),
                )
        self.assertIsNone(passwords.find_problem("ﬃ fit ok"))
        self.assertEqual(passwords.find_problem("abc " * 33), "Use 128 characters or fewer.")
        self.assertIsNone(passwords.find_problem("abc " * 32))

    def test_common_ones_are_refused_in_any_case_and_width(self) -> None:
        for password in (
            "password",
            "PassWord",
            "12345678",
            "qwertyuiop",
            "ｐａｓｓｗｏｒｄ",
            "aaaaaaaa",
        ):
            with self.subTest(password=password):
                self.assertEqual(
                    passwords.find_problem(password),
                    "Too many people use this password. Choose another one.",
                )

    def test_the_list_of_common_ones_is_long(self) -> None:
        self.assertGreater(len(passwords._common_passwords()), 5_000)

    def test_characters_that_no_form_can_send_are_refused(self) -> None:
        # Tornado replaces them in the fields of a form, so such a password could never log in.
        for character in "\x00", "\x01", "\t", "\n", "\r", "\x1f", "\x7f", "\x85", "\ud83e":
            with self.subTest(character=character):
                self.assertEqual(
                    passwords.find_problem(f"correct {character} horse"),
                    "It has characters that are not allowed.",
                )

    def test_the_own_name_is_refused(self) -> None:
        for password in "annabella", "ANNABELLA", "Anna Bella":
            with self.subTest(password=password):
                self.assertEqual(
                    passwords.find_problem(password, "annabella", "Anna Bella"),
                    "Your password must not be your user name or nickname.",
                )


class AvailabilityTest(ChatCase):
    options = {"request_burst": 12, "request_rate": 0.001}  # noqa: RUF012

    @tornado.testing.gen_test
    async def test_who_asks_too_often_has_to_wait(self) -> None:
        for _ in range(12):
            self.assertEqual((await Person(self, "x").fetch("/api/names?name=anna")).code, 200)
        response = await Person(self, "x").fetch("/api/names?name=anna")
        self.assertEqual(response.code, 429)
        self.assertGreater(int(response.headers["Retry-After"]), 0)

    @tornado.testing.gen_test
    async def test_nothing_is_in_the_way_of_pasting_a_long_password(self) -> None:
        for form in "login", "register":
            page = (await Person(self, "x").fetch(f"/{form}")).body.decode()
            found = re.findall(r"<input[^>]*type=\"password\"[^>]*>", page)
            self.assertTrue(found)
            for tag in found:
                self.assertNotRegex(tag, 'onpaste|readonly|autocomplete="off"')
                limit = re.search(r'maxlength="(\d+)"', tag)
                self.assertTrue(limit is None or int(limit[1]) >= passwords.MAX_LENGTH, tag)
