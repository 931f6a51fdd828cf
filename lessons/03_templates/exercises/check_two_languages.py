"""The browser's language, unless the visitor has chosen; singular and plural; English else."""

import tempfile
from pathlib import Path

import tornado.web

from course.exercise_case import ExerciseCase

LOAD = "make_app(): tornado.locale.load_translations(str(folder)), once"
TRANSLATE = 'get(): self.locale.translate("Welcome")'
PLURAL = (
    'get(): translate("%(count)d home", "%(count)d homes", count) % {"count": count}\n'
    "SPANISH: a row for each of the two, with singular or plural in its third column"
)
CHOSEN = "get_user_locale(): tornado.locale.get(language) if there is one in the query, else None"


class TwoLanguages(ExerciseCase):
    def get_app(self) -> tornado.web.Application:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        return self.make_app(Path(folder.name))

    def expect_page(self, path: str, accept: str, body: str, look: str = "") -> None:
        headers = {"Accept-Language": accept} if accept else {}
        answer = self.send("GET", path, headers=headers)
        greeting = body.partition(":")[0]
        look = look or (PLURAL if greeting in answer.text else f"{LOAD}\n{TRANSLATE}")
        answer.expect(status=200, body=body, look=look)

    def test_english_when_nothing_is_asked_for(self) -> None:
        look = f"{CHOSEN}\n{TRANSLATE}; English is what the text itself is in"
        self.expect_page("/?count=3", "", "Welcome: 3 homes", look)

    def test_a_spanish_browser_gets_spanish(self) -> None:
        for accept in ("es-ES", "es", "de,es-MX;q=0.8,en;q=0.3"):
            with self.subTest(accept):
                self.expect_page("/?count=3", accept, "Bienvenido: 3 casas")

    def test_one_is_singular(self) -> None:
        self.expect_page("/?count=1", "", "Welcome: 1 home")
        self.expect_page("/?count=1", "es", "Bienvenido: 1 casa")

    def test_another_language_gets_english(self) -> None:
        self.expect_page("/?count=3", "tlh", "Welcome: 3 homes", f"{LOAD}: English is its default")

    def test_who_chooses_wins_over_the_browser(self) -> None:
        self.expect_page("/?count=3&language=es", "en", "Bienvenido: 3 casas", CHOSEN)
        self.expect_page("/?count=3&language=en_US", "es", "Welcome: 3 homes", CHOSEN)
