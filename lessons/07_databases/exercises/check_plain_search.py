"""Each character that a visitor types stands for itself."""

import contextlib
import sqlite3
from urllib.parse import quote

import tornado.web

from course.testing.http import ExerciseCase

TITLES = ["10 % off", "10% more", "100 pins", "Miller's", "a!b", "a\\b", "a_b", "acb", "a*b"]
WILD = (
    "Put an escape character in front of each % and _ of the text, and name it in the SQL:\n"
    "LIKE ? ESCAPE '!'. The % at both ends of the pattern stay"
)
TWICE = 'Escape the escape character, too, and before the others: replace("!", "!!") comes first'
BOUND = "Pass the pattern separately from the SQL, as before, in a list"
PART = "The text may stand anywhere in the title. Upper and lower case are the same, as in LIKE"


class PlainSearch(ExerciseCase):
    def get_app(self) -> tornado.web.Application:
        db = sqlite3.connect(":memory:")
        self.enterContext(contextlib.closing(db))
        db.execute("CREATE TABLE offers (title TEXT)")
        db.executemany("INSERT INTO offers VALUES (?)", [[title] for title in TITLES])
        return self.make_app(db)

    def search(self, text: str, *titles: str, advice: str) -> None:
        answer = self.send("GET", f"/?q={quote(text)}").expect(status=200, advice=advice)
        found = answer.json(advice=advice)
        self.expect(
            sorted(found.get("titles", [])), sorted(titles), sent=answer.sent, advice=advice
        )

    def test_a_percent_sign_is_a_percent_sign(self) -> None:
        self.search("10%", "10% more", advice=WILD)
        self.search("%", "10 % off", "10% more", advice=WILD)

    def test_an_underscore_is_an_underscore(self) -> None:
        self.search("a_b", "a_b", advice=WILD)

    def test_other_characters_are_themselves(self) -> None:
        for text in ("!", "\\", "*"):
            self.search(f"a{text}b", f"a{text}b", advice=TWICE)

    def test_a_quote_does_no_harm(self) -> None:
        self.search("r's", "Miller's", advice=BOUND)

    def test_a_part_is_enough(self) -> None:
        self.search("PIN", "100 pins", advice=PART)
        self.search("", *TITLES, advice=PART)
