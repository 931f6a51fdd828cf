"""Every text in every language: of the templates, of the server's answers, of the page's script."""

import ast
import json
import unittest
from http import HTTPStatus

import pytest
import tornado.testing
from babel.messages import mofile
from hypothesis import given
from hypothesis import strategies as st

from capstone_chat.handlers import errors, languages
from capstone_chat.text import names
from tests.capstone import catalogues
from tests.capstone.chat_case import ChatCase, Person
from tests.capstone.page import javascript

MODULES = ("en", "zh_CN", "ru")


class TestCatalogues:
    """The server's and the templates' texts."""

    def test_every_message_is_translated_and_no_other(self) -> None:
        wanted = catalogues.template_messages() | catalogues.server_messages()
        for language in catalogues.LANGUAGES:
            known = {m.id: m.string for m in catalogues.load(language) if m.id}
            assert known.keys() == wanted, "python -m tests.capstone.catalogues brings them up"
            assert [text for text, translated in known.items() if not translated] == []

    def test_what_gettext_reads_is_what_the_source_says(self) -> None:
        for language in catalogues.LANGUAGES:
            with catalogues.path_of(language, "mo").open("rb") as file:
                read = {message.id: message.string for message in mofile.read_mo(file)}
            source = {message.id: message.string for message in catalogues.load(language)}
            # The header, which has the id "", names the version of Babel.
            assert read | {"": ""} == source | {"": ""}

    def test_messages_are_found_wherever_they_stand(self) -> None:
        found = catalogues.server_messages()
        for message in (
            "The two passwords are not the same.",  # in a dictionary
            "That is you.",  # in an exception
            f"Use {names.MAX_NICKNAME_LENGTH} characters or fewer.",  # with an argument
            f"Use {names.MAX_TITLE_LENGTH} characters or fewer.",
            "Not Found",
        ):
            assert message in found
        assert "Write a message" in catalogues.template_messages()

    def test_every_text_of_a_refusal_is_a_message_whatever_it_ends_with(self) -> None:
        place = {"ApiError": 2, "NotAllowed": 1, "Conflict": 1, "NotFound": 0}
        place |= {"ProtocolError": 1, "translate": 0}
        texts = {
            call.args[place[name]].value  # type: ignore[attr-defined]
            for path in catalogues.PACKAGE.rglob("*.py")
            for call in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(call, ast.Call)
            and (name := getattr(call.func, "id", getattr(call.func, "attr", ""))) in place
            and len(call.args) > place[name]
            and isinstance(call.args[place[name]], ast.Constant)
        }
        assert {"Log in again.", "That is you.", "This must be text."} <= texts
        assert texts - catalogues.server_messages() == set()

    def test_the_phrase_of_a_status_is_the_same_on_every_python(self) -> None:
        # Python 3.13 renamed this one, and a renamed message has no translation.
        assert "Content Too Large" in catalogues.server_messages()
        assert errors.reason_phrase(HTTPStatus(413)) == "Content Too Large"
        assert errors.reason_phrase(HTTPStatus(404)) == "Not Found"

    def test_a_message_with_an_unknown_argument_is_refused(self) -> None:
        message = ast.parse('f"There are {many} of them."', mode="eval").body
        assert isinstance(message, ast.JoinedStr)
        with pytest.raises(KeyError):
            list(catalogues.values(message, {}))


CHINESE = (
    *("zh", "zh-CN", "zh-Hans", "zh-Hans-CN", "zh-SG", "zh-Hans-SG", "zh-HK", "zh-TW", "zh-MO"),
    *("zh-Hant", "zh-Hant-TW", "zh-Hant-HK", "ZH-cn", "zh_CN", "zh-cmn-Hans-CN", "cmn-Hans-CN"),
    *("yue-HK", "yue-Hant-HK", "zh-u-nu-hanidec", "zh-Hans-CN-x-phone", "zh-CN-u-ca-chinese"),
)
RUSSIAN = ("ru", "ru-RU", "ru-UA", "ru-BY", "ru-KZ", "ru-Cyrl-RU", "RU-ru", "ru_RU", "ru-u-hc-h23")
ENGLISH = ("en", "en-US", "en-GB", "en-Latn-IN", "de-DE", "be", "uk-UA", "ja-JP", "zho-x", "zhx")


class LookupTest(unittest.TestCase):
    """A browser's list of languages, by RFC 4647, section 3.4."""

    def test_every_form_of_a_language_finds_its_texts(self) -> None:
        for tags, catalogue in (CHINESE, "zh_CN"), (RUSSIAN, "ru"), (ENGLISH, "en"):
            for tag in tags:
                for header in tag, f"{tag};q=0.1", f"de,{tag};q=0.9,*;q=0.1":
                    with self.subTest(header):
                        self.assertEqual(languages.match_language(header), catalogue)

    def test_the_preferred_of_several_languages_wins(self) -> None:
        for header, catalogue in (
            ("ru,zh", "ru"),
            ("ru;q=0.8,zh;q=0.9", "zh_CN"),
            ("ru;q=0.5,zh-TW;q=0.5", "ru"),
            ("de-DE,de;q=0.9,ru;q=0.8,en;q=0.7", "ru"),
            ("*,ru;q=0.5", "ru"),
            ("*", "en"),
            ("ru;q=0", "en"),
            ("ru;q=0.000, zh ; q = 0.001", "zh_CN"),
            ("ru; q=1.000, zh", "ru"),
            ("uk-UA, ru-UA;q=0.9, en;q=0.8", "ru"),
            ("", "en"),
            (" , ,,", "en"),
        ):
            with self.subTest(header):
                self.assertEqual(languages.match_language(header), catalogue)

    def test_what_is_malformed_is_left_out(self) -> None:
        for header in (
            "ru;q=2",
            "ru;q=x",
            "ru;q=-1",
            "ru;q=nan",
            "ru;q=",
            "ru-",
            "-ru",
            "r u",
            "ру",
        ):
            with self.subTest(header):
                self.assertEqual(languages.match_language(f"{header},zh;q=0.1"), "zh_CN")
        self.assertEqual(languages.match_language("x," * 10_000 + "ru"), "en")

    @given(st.text(st.sampled_from("ruzhenCN-_,;q=01.9* \t\xa0x") | st.characters()))
    def test_any_header_gives_a_language_of_the_chat(self, header: str) -> None:
        self.assertIn(languages.match_language(header), {"en", "ru", "zh_CN"})


class LanguageOfPagesTest(ChatCase):
    """What a visitor reads."""

    async def page(self, path: str, accept: str) -> str:
        response = await self.http_client.fetch(
            self.get_url(path), headers={"Accept-Language": accept}, raise_error=False
        )
        return response.body.decode()

    @tornado.testing.gen_test
    async def test_the_browser_says_which_language_the_login_page_has(self) -> None:
        for accept, language, text in (
            ("zh-CN,zh;q=0.9,en;q=0.8", "zh-CN", "欢迎回来"),
            ("zh-Hant-TW,zh;q=0.9,en;q=0.8", "zh-CN", "欢迎回来"),
            ("zh-HK", "zh-CN", "欢迎回来"),
            ("ru-UA,en;q=0.8", "ru", "С возвращением"),
            ("ru-RU,ru;q=0.9", "ru", "С возвращением"),
            ("en-GB,ru;q=0.5", "en", "Welcome back"),
            ("de-DE,de;q=0.9", "en", "Welcome back"),
            ("de;q=0.9,ru;q=0.5", "ru", "С возвращением"),
        ):
            with self.subTest(accept=accept):
                body = await self.page("/login", accept)
                self.assertIn(f'<html lang="{language}"', body)
                self.assertIn(text, body)

    @tornado.testing.gen_test
    async def test_errors_speak_it_too(self) -> None:
        self.assertIn("Такой страницы нет.", await self.page("/no-such-page", "ru"))
        self.assertIn("Не найдено", await self.page("/no-such-page", "ru"))
        answer = await self.page("/api/names?name=a", "zh-CN")
        self.assertEqual(json.loads(answer)["problem"], "请使用 3 到 32 个字符。")
        answer = await self.page("/api/state", "ru")
        self.assertEqual(json.loads(answer)["error"]["message"], "Войдите снова.")

    @tornado.testing.gen_test
    async def test_the_users_choice_wins_over_the_browsers(self) -> None:
        ann = Person(self, "ann")
        await ann.register()
        await ann.call("PATCH", "/api/me", {"language": "ru"})
        response = await ann.fetch("/", headers={"Accept-Language": "zh-CN"})
        self.assertIn('<html lang="ru"', response.body.decode())
        self.assertIn("Напишите сообщение", response.body.decode())


@pytest.mark.service("node")
class TestScriptStrings:
    """The page script's texts."""

    def test_every_language_has_the_same_keys(self) -> None:
        shapes = javascript.run(
            """
            const shape = (value) =>
                typeof value === "function" ? `function of ${value.length}`
                : typeof value === "string" ? (value.trim() ? "text" : "EMPTY")
                : Object.fromEntries(
                    Object.entries(value).map(([key, part]) => [key, shape(part)]));
            const found = {};
            for (const name of given)
                found[name] = shape((await import(`./i18n/strings/${name}.js`)).strings);
            console.log(JSON.stringify(found));
            """,
            MODULES,
        )
        assert shapes["zh_CN"] == shapes["en"]
        assert shapes["ru"] == shapes["en"]
        assert len(shapes["en"]) > 100

    def test_nothing_is_left_in_english(self) -> None:
        texts = javascript.run(
            """
            const texts = (value, path = "") =>
                typeof value === "string" ? [[path, value]]
                : typeof value === "function" ? [[path, String(value(value.length ? "x" : 1, "y"))]]
                : Object.entries(value).flatMap(([key, part]) => texts(part, `${path}.${key}`));
            const found = {};
            for (const name of given) {
                const {strings} = await import(`./i18n/strings/${name}.js`);
                found[name] = Object.fromEntries(texts(strings));
            }
            console.log(JSON.stringify(found));
            """,
            MODULES,
        )
        same = {
            path
            for path, text in texts["en"].items()
            for language in ("zh_CN", "ru")
            if texts[language][path] == text
        }
        # The name of the chat; and what is nothing but what it is given.
        assert same <= {".appName", ".announce"}

    def test_numbers_take_the_forms_of_the_language(self) -> None:
        said = javascript.run(
            """
            const found = {};
            for (const name of ["en", "zh_CN", "ru"]) {
                const {strings} = await import(`./i18n/strings/${name}.js`);
                found[name] = given.map((n) => strings.members(n));
            }
            console.log(JSON.stringify(found));
            """,
            [1, 2, 5, 11, 21, 22, 25, 111, 1001],
        )
        assert said["en"][:3] == ["1 member", "2 members", "5 members"]
        assert said["zh_CN"][:3] == ["1 位成员", "2 位成员", "5 位成员"]
        assert [text.split()[-1] for text in said["ru"]] == [
            "участник",
            "участника",
            "участников",
            "участников",
            "участник",
            "участника",
            "участников",
            "участников",
            "участник",
        ]
        assert said["en"][-1] == "1,001 members"
