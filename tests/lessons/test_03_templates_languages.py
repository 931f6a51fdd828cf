"""Lesson 03: a page in the visitor's language (C135)."""

import tempfile
from pathlib import Path
from unittest import mock

import tornado.locale
import tornado.web

from tests.support.lesson_case import RoutesHTTPTestCase, import_script

languages = import_script("03_templates", "languages")

ENGLISH, SPANISH = "Where would you like to wake up?", "¿Dónde te gustaría despertar?"
CHINESE = "您想在哪里醒来？"


class LanguagesTest(RoutesHTTPTestCase):
    """Translations belong to the process: they are put back for the tests that follow."""

    def get_app(self) -> tornado.web.Application:
        # The chat of the capstone may have left gettext and its languages, in a test before this.
        fresh = mock.patch.multiple(
            tornado.locale,
            _translations={},
            _default_locale="en_US",
            _supported_locales=frozenset(["en_US"]),
            _use_gettext=False,
        )
        self.enterContext(fresh)
        self.enterContext(mock.patch.dict(tornado.locale.Locale._cache, clear=True))
        return self.make_app()

    def make_app(self) -> tornado.web.Application:
        return languages.make_app()

    def page(self, accept: str = "", path: str = "/") -> str:
        return self.get(path, headers={"Accept-Language": accept} if accept else {}).body.decode()


class AcceptLanguageTest(LanguagesTest):
    def test_the_browser_s_language_is_taken(self) -> None:
        """C135: the best one that there is."""
        for accept, title, lang in [
            ("", ENGLISH, "en-US"),
            ("es", SPANISH, "es"),
            ("es-MX,en;q=0.5", SPANISH, "es"),
            ("de,zh-CN;q=0.8,es;q=0.3", CHINESE, "zh-CN"),
            ("xx", ENGLISH, "en-US"),
        ]:
            with self.subTest(accept):
                page = self.page(accept)
                self.assertIn(f"<h1>{title}</h1>", page)
                self.assertIn(f'<html lang="{lang}">', page)

    def test_who_chooses_wins_over_the_browser(self) -> None:
        """C135: get_user_locale() comes first; None means the browser decides."""
        self.assertIn(CHINESE, self.page("es", "/?language=zh_CN"))
        self.assertIn(ENGLISH, self.page("es", "/?language=en_US"))
        self.assertIn('lang="zh-CN" aria-current="true"', self.page("", "/?language=zh_CN"))

    def test_a_choice_that_we_do_not_have_is_the_default(self) -> None:
        """C135"""
        self.assertIn(ENGLISH, self.page("es", "/?language=tlh"))

    def test_plurals_and_values(self) -> None:
        """C135"""
        page = self.page("es")
        self.assertIn("6 casas", page)
        self.assertIn("140 € por noche", page)
        spanish = tornado.locale.get("es")
        for count, text in [(1, "%(count)d casa"), (2, "%(count)d casas")]:
            self.assertEqual(spanish.translate("%(count)d home", "%(count)d homes", count), text)


class RegionTest(LanguagesTest):
    def make_app(self) -> tornado.web.Application:
        application = languages.make_app()
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, "es_ES.csv").write_text(f'"{ENGLISH}","{SPANISH}"\n', encoding="utf-8")
            tornado.locale.load_translations(folder)
        return application

    def test_a_language_does_not_match_the_file_of_a_region(self) -> None:
        """C135: es_ES.csv is for es-ES only; es.csv would serve es-MX too."""
        self.assertIn(SPANISH, self.page("es-ES"))
        self.assertIn(ENGLISH, self.page("es"))
        self.assertIn(ENGLISH, self.page("es-MX"))
