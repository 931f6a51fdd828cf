"""Which names are one name, and what no name may hold."""

import asyncio
import re
import unicodedata
import unittest
from pathlib import Path
from urllib.parse import urlencode

import tornado.httpclient
import tornado.testing
import tornado.web
from hypothesis import given
from hypothesis import strategies as st

import capstone_chat
from capstone_chat.accounts import accounts
from capstone_chat.handlers.auth import TAKEN
from capstone_chat.text import names
from tests.capstone.chat_case import PASSWORD, ChatCase, Person
from tests.capstone.form_pages import errors

RESERVED = "This name is reserved. Choose another one."


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
                    names.find_username_problem(name),
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
                self.assertEqual(names.canonical_key(one), names.canonical_key(other))


class NicknameTest(unittest.TestCase):
    def test_a_nickname_holds_nothing_that_cannot_be_seen(self) -> None:
        for character in (
            "\u200b\u202e\u2066\ufeff\0\n\r\t\u2028\u2029\x85\ud800\ue000\uffff"
            "\u034f\u115f\u1160\u17b4\u180b\u2800\u3164\ufe00\uffa0\U000e0100\U0001d159\U00016fe4"
        ):
            with self.subTest(name=unicodedata.name(character, ascii(character))):
                self.assertEqual(
                    names.find_label_problem(f"an{character}na", 40),
                    "It has invisible characters.",
                )

    def test_marks_are_few_and_stand_on_something(self) -> None:
        stacked = "".join(map(chr, range(0x300, 0x327)))  # 39 marks, none of them twice
        for label in (
            f"Anna{stacked}"[:40],
            "a\u0323\u0331\u032d\u0330\u0325nna",
            "\u0301",
            "\u0301Anna",
            "Anna \u0301B",
            "\u0903Anna",  # a spacing one
            "q\u0323\u0323",  # the same mark twice looks like once
            "x\u20dd\u20de\u20df\u20e0\u20e2",  # enclosing ones
        ):
            with self.subTest(ascii(label)):
                self.assertEqual(
                    names.find_label_problem(names.normalize(label), 40),
                    "An accent stands on a letter, and a letter has at most 4.",
                )

    def test_a_joiner_that_joins_nothing_is_refused(self) -> None:
        for label in (
            *("\u200d", "\u200c", "an\u200dna", "an\u200cna", "Anna\u200d", "\u200dAnna"),
            *("👩\u200d", "\u200d💻", "👩\u200d\u200d💻", "👩\u200dB", "да\u200dда", "日\u200d本"),
            *("خا\u200c", "\u200cخا", "خا\u200c\u200cما", "خا\u200ca"),
            *("Anna\ufe0f", "1\ufe0f", "\ufe0f", "👩\ufe0f\ufe0f"),
            "🏴\U000e0067\U000e0062",  # no end
            "🏴\U000e007f",  # nothing between
            "🏴" + "\U000e0061" * 30 + "\U000e007f",  # a hidden text
            "👍\U000e0067\U000e0062\U000e0065\U000e007f",  # no flag
        ):
            with self.subTest(ascii(label)):
                self.assertEqual(
                    names.find_label_problem(names.normalize(label), 40),
                    "It has invisible characters.",
                )

    def test_a_nickname_imitates_neither_the_operator_nor_a_deleted_user(self) -> None:
        for nickname in (
            *("Deleted user", "deleted user", "DELETED USER", "deIeted  user", "Deleted-User"),
            *("Dеlеtеd usеr", "ｄｅｌｅｔｅｄ user", "deleted user 7", "d.e.l.e.t.e.d"),
            *("Удалённый пользователь", "удаленный пользователь", "已注销用户"),
            *("Admin", "ADMIN", "adm1n", "ADM1N", "Аdmin", "[admin]", "Admin 2", "Administrator"),
            *("Moderator", "rnoderator", "Support", "Администратор", "管理员", "客服", "系统消息"),
        ):
            with self.subTest(nickname):
                self.assertEqual(names.find_nickname_problem(names.normalize(nickname)), RESERVED)
        for nickname in "@anna", "Bob @anna", "＠anna", "﹫anna":
            with self.subTest(nickname):
                self.assertEqual(
                    names.find_nickname_problem(names.normalize(nickname)),
                    "A nickname cannot contain @, which stands before user names.",
                )

    def test_the_names_of_the_deleted_are_those_of_the_pages(self) -> None:
        strings = Path(capstone_chat.__file__).parent / "static" / "js" / "i18n" / "strings"
        labels = [
            re.search(r'deletedUser: "(.+)"', path.read_text(encoding="utf-8"))
            for path in strings.glob("*.js")
        ]
        self.assertEqual(len(labels), 3)
        for label in [accounts.DELETED_NICKNAME, *(found[1] for found in labels if found)]:
            with self.subTest(label):
                self.assertEqual(names.find_nickname_problem(label), RESERVED)


class LookAlikeTest(unittest.TestCase):
    """Names that look alike (UTS 39)."""

    def test_letters_of_scripts_that_are_not_written_together_are_refused(self) -> None:
        for name in (
            "pаypal",  # a Cyrillic a
            "annа",
            "αnna",
            "bobч",
            "я小明",
            "한글カナ",
            "ᎪNNA",
            "1٢3",  # digits of two kinds
            "annა",
        ):
            with self.subTest(ascii(name)):
                self.assertEqual(
                    names.find_username_problem(name), "Use letters of one script only."
                )

    def test_a_name_needs_a_letter_or_a_digit(self) -> None:
        for name in "...", "___", "-.-", "._-" * 10:
            self.assertEqual(names.find_username_problem(name), "Use at least one letter or digit.")

    def test_reserved_names_and_what_looks_like_them(self) -> None:
        for name in (
            *(
                "admin",
                "Admin",
                "ADMIN",
                "adm1n",
                "ADM1N",
                "admln",
                "a.d.m.i.n",
                "admin_",
                "admin7",
            ),
            *(
                "administrator",
                "root",
                "r00t",
                "system",
                "system32",
                "support",
                "suppοrt"[:4] + "ort",
            ),
            *(
                "moderator",
                "rnoderator",
                "ｍoderator",
                "deleted",
                "deleted-1",
                "deIeted-1",
                "de1eted",
            ),
            *("everyone", "all", "a11", "here", "null", "nu11", "undefined", "postmaster"),
            *("админ", "администратор", "поддержка", "管理员", "已注销用户"),
        ):
            with self.subTest(name):
                self.assertEqual(names.find_username_problem(names.normalize(name)), RESERVED)
        for name in "ali", "Ali", "ALI", "allan", "adminton", "hereward", "roots", "modern", "123":
            with self.subTest(name):
                self.assertIsNone(names.find_username_problem(name))

    def test_names_that_look_alike_have_one_skeleton(self) -> None:
        for one, other in (
            ("paypal", "раураӏ"),  # all of it Cyrillic
            ("paypal", "paypa1"),
            ("paypal", "paypaI"),
            ("bob", "ВОВ"),
            ("bob", "B0B"),
            ("bob", "b0b"),
            ("modern", "modem"),
            ("Mike", "rnike"),
            ("anna_", "anna__"),
            ("jose\u0301", "jos\u00e9"),
            ("scope", "ѕсоре"),
        ):
            with self.subTest(one=one, other=other):
                self.assertEqual(names.skeleton(one), names.skeleton(other))
        for one, other in ("anna", "hanna"), ("kai", "kal"), ("zoe", "zoë"), ("анна", "anna"):
            with self.subTest(one=one, other=other):
                self.assertNotEqual(names.skeleton(one), names.skeleton(other))

    @given(st.text(st.characters(codec="utf-8"), max_size=40))
    def test_the_skeleton_of_an_allowed_name_fits_and_is_its_own(self, text: str) -> None:
        name = names.normalize(text)
        if names.find_username_problem(name) is None:
            found = names.skeleton(name)
            self.assertTrue(0 < len(found) <= names.MAX_SKELETON_LENGTH)
            self.assertEqual(names.skeleton(found), found)
            self.assertEqual(names.skeleton(unicodedata.normalize("NFD", name)), found)


class OneNameTest(ChatCase):
    async def available(self, name: str) -> bool:
        person = Person(self, name)
        _, answer = await person.call("GET", f"/api/names?{urlencode({'name': name})}")
        return bool(answer["available"])

    @tornado.testing.gen_test
    async def test_a_name_that_looks_like_another_one_is_had_by_nobody_else(self) -> None:
        await self.person("paypal")
        for twin in "paypa1", "PAYPAI", "раураӏ":
            with self.subTest(twin=twin):
                response = await Person(self, twin).register()
                self.assertEqual((response.code, errors(response)), (400, {"name": TAKEN}))
                self.assertFalse(await self.available(twin))
        self.assertTrue(await self.available("paypals"))

    @tornado.testing.gen_test
    async def test_of_two_look_alikes_that_register_at_once_one_wins(self) -> None:
        people = [Person(self, name) for name in ("paypal", "paypa1", "раураӏ")]
        responses = await asyncio.gather(*(person.register() for person in people))
        self.assertEqual(sorted(response.code for response in responses), [303, 400, 400])

    @tornado.testing.gen_test
    async def test_reserved_names_are_neither_free_nor_registered(self) -> None:
        for name in "admin", "deleted-1", "adm1n":
            response = await Person(self, name).register()
            self.assertEqual((response.code, errors(response)["name"]), (400, RESERVED))
            self.assertFalse(await self.available(name))

    @tornado.testing.gen_test
    async def test_a_deleted_users_name_and_what_looks_like_it_are_free_again(self) -> None:
        anna = await self.person("paypal")
        await anna.call("DELETE", "/api/me", {"password": PASSWORD})
        self.assertTrue(await self.available("paypa1"))

    @tornado.testing.gen_test
    async def test_users_who_had_such_a_name_before_the_rule_go_on(self) -> None:
        old, anna = await self.person("support", "Admin"), await self.person("anna")
        self.assertEqual((await old.call("PATCH", "/api/me", {"nickname": "Admin"}))[0], 200)
        code, answer = await old.call("PATCH", "/api/me", {"nickname": "Support"})
        self.assertEqual((code, answer["error"]["code"]), (400, "nickname_invalid"))
        code, _ = await anna.call("POST", "/api/contacts", {"name": "support"})
        self.assertEqual(code, 201)
        conv = await anna.group()
        code, _ = await anna.call("POST", f"/api/groups/{conv}/members", {"name": "support"})
        self.assertEqual(code, 200)
        browser = Person(self, "support")
        self.assertEqual((await browser.login()).code, 303)

    @tornado.testing.gen_test
    async def test_a_name_is_had_once_however_it_is_written(self) -> None:
        await self.person("Stra\u00dfe")
        for twin in "Stra\u00dfe", "STRASSE", "strasse", "ｓｔｒａｓｓｅ", " strasse ":
            with self.subTest(twin=twin):
                response = await Person(self, twin).register()
                self.assertEqual(response.code, 400)
                self.assertEqual(
                    errors(response),
                    {"name": TAKEN},
                )

    @tornado.testing.gen_test
    async def test_of_two_who_register_one_name_at_once_one_wins(self) -> None:
        people = [Person(self, name) for name in ("anna", "Anna", "ANNA", "ａｎｎａ")]
        responses = await asyncio.gather(*(person.register() for person in people))
        self.assertEqual(sorted(response.code for response in responses), [303, 400, 400, 400])
        for person, response in zip(people, responses, strict=True):
            if response.code == 400:
                self.assertEqual(set(errors(response)), {"name"})
                self.assertNotIn(self.cookie_name("session"), person.cookies)
