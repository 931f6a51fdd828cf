"""Ids, some of them with SQL: no statement contains one, and the table stays as it should be."""

import re
import sqlite3
from typing import Any

import tornado.escape
import tornado.web

from course.testing.http import ExerciseCase, Mismatch, Response

BIND = (
    "Write a ? into the SQL and pass the value separately: execute('... WHERE id = ?', [value]).\n"
    "Do not quote, check or convert it and then paste it."
)
KEEP = "The id of a house still has to find it."
A_LIST = (
    "The second argument of execute() is a list of the values: [value]. A text alone counts as a "
    "list of its characters."
)
EXACT = "A house is found by its exact id: compare with =, not with LIKE."
NONE = "fetchone() returns None when there is no such row: raise tornado.web.HTTPError(404)."
GONE = (
    "The cursor's rowcount is the number of rows that a DELETE has deleted: if it is 0, raise "
    "tornado.web.HTTPError(404)."
)
ONE = "Only the house with this id may be deleted."
# No text here is a part of a longer one, so that each is found in the statement that it is in.
TYPED = (
    "0 OR 1=1",
    "0 UNION SELECT code FROM houses",
    "42; DROP TABLE houses",
    "42'",
    "' OR ''='",
    "%",
    "99",
    "",
)


class Recorder(sqlite3.Cursor):
    """A cursor that keeps the statements, as the connection of the check wants to see them."""

    def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:
        self.connection.statements.append(sql)  # type: ignore[attr-defined]
        if values and isinstance(values[0], str):
            self.connection.text_for_values = True  # type: ignore[attr-defined]
        return super().execute(sql, *values)

    def executescript(self, sql: str) -> sqlite3.Cursor:
        self.connection.statements.append(sql)  # type: ignore[attr-defined]
        return super().executescript(sql)


class Connection(sqlite3.Connection):
    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.statements: list[str] = []
        self.text_for_values = False  # execute(sql, "42") instead of execute(sql, ["42"])

    def cursor(self, factory: Any = Recorder) -> Any:
        return super().cursor(factory)

    def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:
        cursor: sqlite3.Cursor = self.cursor().execute(sql, *values)
        return cursor

    def executescript(self, sql: str) -> sqlite3.Cursor:
        cursor: sqlite3.Cursor = self.cursor().executescript(sql)
        return cursor


class InjectionProbe(ExerciseCase):
    def get_app(self) -> tornado.web.Application:
        self.db = Connection(":memory:", isolation_level=None)
        self.db.execute("CREATE TABLE houses (id INTEGER PRIMARY KEY, title TEXT, code TEXT)")
        for house in ((17, "Lighthouse", "4711"), (42, "Windmill", "0815")):
            self.db.execute("INSERT INTO houses VALUES (?, ?, ?)", house)
        return self.make_app(self.db)

    def tearDown(self) -> None:
        super().tearDown()
        self.db.close()

    def ask(self, method: str, number: str) -> Response:
        """Send an id; raise `Mismatch` when it has become a part of a statement."""
        self.db.statements.clear()
        answer = self.send(method, f"/house?id={tornado.escape.url_escape(number)}")
        for sql in self.db.statements:
            if number and re.search(rf"(?<!\w){re.escape(number)}(?!\w)", sql.replace("''", "'")):
                raise Mismatch(
                    sent=f"{answer.sent}\nthe id is  {number}",
                    received=f"the statement  {sql}",
                    expected="a statement without the id",
                    advice=BIND,
                )
        return answer

    def or_a_list(self, advice: str) -> str:
        """This advice, unless the values were passed as a text."""
        return A_LIST if self.db.text_for_values else advice

    def expect_titles(self, answer: Response, *titles: str, advice: str) -> None:
        rows = self.db.execute("SELECT title FROM houses ORDER BY id").fetchall()
        received = [title for (title,) in rows]
        self.expect(received, list(titles), sent=f"{answer.sent}\nthen: all titles?", advice=advice)

    def test_a_house_is_found(self) -> None:
        answer = self.ask("GET", "42")
        answer.expect(status=200, json={"title": "Windmill"}, advice=self.or_a_list(KEEP))

    def test_sql_in_an_id_finds_nothing(self) -> None:
        for typed in TYPED:
            answer = self.ask("GET", typed)
            advice = EXACT if answer.status == 200 else self.or_a_list(NONE)
            answer.expect(status=404, advice=advice)

    def test_sql_in_an_id_deletes_nothing(self) -> None:
        for typed in TYPED:
            answer = self.ask("DELETE", typed)
            self.expect_titles(answer, "Lighthouse", "Windmill", advice=EXACT)
            answer.expect(status=404, advice=self.or_a_list(GONE))

    def test_a_house_is_deleted(self) -> None:
        answer = self.ask("DELETE", "17")
        answer.expect(status=204, body="", advice=self.or_a_list(KEEP))
        self.expect_titles(answer, "Windmill", advice=ONE)
