"""The browser's language, unless the visitor has chosen; singular and plural; else English."""

import tempfile
from pathlib import Path

import tornado.web

from course.testing.http import ExerciseCase

LOAD = "make_app(): tornado.locale.load_translations(str(folder)) loads es.csv"
TRANSLATE = 'get(): self.locale.translate("Welcome"); the name _ is in templates only'
PLURAL = (
    'get(): translate("%(count)d home", "%(count)d homes", count) % {"count": count}\n'
    "SPANISH: a row for each of the two, with singular or plural in its third column,\n"
    "and no space after a comma"
)
CHOSEN = (
    "get_user_locale(): return tornado.locale.get(language) if the query has a language.\n"
    "If not, return None: then Tornado asks for the languages of the browser"
)


class TwoLanguages(ExerciseCase):
    def get_app(self) -> tornado.web.Application:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        return self.make_app(Path(folder.name))

    def expect_page(self, path: str, accept: str, text: str, advice: str = "") -> None:
        headers = {"Accept-Language": accept} if accept else {}
        answer = self.send("GET", path, headers=headers)
        greeting = text.partition(":")[0]
        advice = advice or (PLURAL if greeting in answer.text else f"{LOAD}\n{TRANSLATE}")
        if answer.status == 500:
            advice = f"{TRANSLATE}\n{PLURAL}\n{CHOSEN}"
        answer.expect(status=200, text=text, advice=advice)

    def test_english_when_the_browser_asks_for_nothing(self) -> None:
        self.expect_page("/?count=3", "", "Welcome: 3 homes", CHOSEN)

    def test_a_spanish_browser_gets_spanish(self) -> None:
        for accept in ("es-ES", "es", "de,es-MX;q=0.8,en;q=0.3"):
            with self.subTest(accept):
                self.expect_page("/?count=3", accept, "Bienvenido: 3 casas")

    def test_one_is_singular_and_zero_is_plural(self) -> None:
        self.expect_page("/?count=1", "", "Welcome: 1 home")
        self.expect_page("/?count=1", "es", "Bienvenido: 1 casa")
        self.expect_page("/?count=0", "", "Welcome: 0 homes", PLURAL)
        self.expect_page("/?count=0", "es", "Bienvenido: 0 casas", PLURAL)

    def test_another_language_gets_english(self) -> None:
        self.expect_page("/?count=3", "tlh", "Welcome: 3 homes", CHOSEN)

    def test_the_choice_of_the_visitor_wins(self) -> None:
        self.expect_page("/?count=3&language=es", "en", "Bienvenido: 3 casas", CHOSEN)
        self.expect_page("/?count=3&language=en_US", "es", "Welcome: 3 homes", CHOSEN)
