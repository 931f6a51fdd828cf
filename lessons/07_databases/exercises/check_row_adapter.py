"""The four methods against a table of the check's own, then the two pages."""

import contextlib
import sqlite3
import tempfile
from pathlib import Path
from typing import Any

import tornado.web

from course.testing.http import ExerciseCase, Mismatch

INSERT = "INSERT INTO houses (title, price) VALUES (?, ?)"
QUERY = "query(): cursor.description has the names of the columns, cursor.fetchall() the values."
A_LIST = "query() returns a list, which a caller can count and read more than once."
INDEX = "A row has its columns by name: row['title']."
ATTRIBUTE = "A row class with __getattr__(self, name) that returns self[name] has row.title too."
NO_COLUMN = "__getattr__() must raise AttributeError for a column that does not exist."
GET = "get() asks query(), and counts: one row, none, or several."
NOTHING = "The method returned None: is a return missing?"
EXECUTE = "execute() returns the id of the new row: the cursor's lastrowid."
COUNT = "execute_rowcount() returns how many rows changed: the cursor's rowcount."
SWAPPED = "This is the other number: lastrowid is the id of a new row, rowcount a number of rows."
BOUND = (
    "Pass the SQL and its values to the connection separately: self.link.execute(sql, values). "
    "A text with a quote or a ?, a number and None arrive as they are. With *values in the "
    "signature, values is a tuple."
)
POST = "POST /houses: self.set_status(201), then write {'id': ...} with what execute() returned."
PAGE = "GET /houses/ID: get() returns the row, and dict(row) is what write() accepts."
MISSING = "GET /houses/ID: if get() returns None, raise tornado.web.HTTPError(404)."
COMMIT = (
    "Another connection does not see the new house, for it is not committed. Keep "
    "isolation_level=None, or call self.link.commit() after each change."
)


class RowAdapter(ExerciseCase):
    def get_app(self) -> tornado.web.Application:
        folder = self.enterContext(tempfile.TemporaryDirectory(ignore_cleanup_errors=True))
        self.file = str(Path(folder, "houses.db"))
        self.outside(self.subject.TABLE)
        for house in (("Lighthouse", 140), ("Windmill", 95)):
            self.outside(INSERT, house)
        self.db = self.subject.Connection(self.file)
        return self.make_app(self.db)

    def tearDown(self) -> None:
        super().tearDown()
        for value in vars(self.db).values():
            if isinstance(value, sqlite3.Connection):
                value.close()

    def outside(self, sql: str, values: Any = ()) -> list[Any]:
        """Ask the same file over a connection of the check."""
        with contextlib.closing(sqlite3.connect(self.file)) as db, db:
            return db.execute(sql, values).fetchall()

    def call(self, name: str, *arguments: Any, advice: str) -> Any:
        """Return the result of the method, or the exception that it raises."""
        self.sent = f"db.{name}({', '.join(map(repr, arguments))})"
        method = getattr(self.db, name, None)
        if method is None:
            raise Mismatch(
                sent=self.sent,
                received="no such method",
                expected=f"a method {name}()",
                advice=advice,
            )
        try:
            return method(*arguments)
        except Exception as error:
            return error

    def expect_that(self, received: object, expected: str, is_right: bool, advice: str) -> None:
        if not is_right:
            raise Mismatch(
                sent=self.sent, received=repr(received), expected=expected, advice=advice
            )

    def expect_value(self, expected: Any, name: str, *arguments: Any, advice: str) -> None:
        received = self.call(name, *arguments, advice=advice)
        if received is None:
            advice = NOTHING
        elif isinstance(received, Exception):
            advice = BOUND
        self.expect(received, expected, sent=self.sent, advice=advice)

    def column(self, row: Any, name: str) -> object:
        try:
            return row[name]
        except Exception as error:
            return error

    def attribute(self, row: Any, name: str) -> object:
        self.sent += f", then .{name}"
        try:
            return getattr(row, name)
        except Exception as error:
            return error

    def test_query_returns_all_rows(self) -> None:
        rows = self.call("query", "SELECT title FROM houses ORDER BY id", advice=QUERY)
        advice = NOTHING if rows is None else A_LIST
        self.expect_that(rows, "a list of two rows", isinstance(rows, list), advice)
        self.expect_that(rows, "a list of two rows", len(rows) == 2, QUERY)
        titles = [self.column(row, "title") for row in rows]
        self.sent += ", then ['title'] of each row"
        advice = f"{INDEX}\n{QUERY}"
        self.expect(titles, ["Lighthouse", "Windmill"], sent=self.sent, advice=advice)
        self.expect_value([], "query", "SELECT title FROM houses WHERE id = ?", 99, advice=QUERY)

    def test_a_row_has_keys_and_attributes(self) -> None:
        row = self.call("get", "SELECT * FROM houses WHERE id = ?", 1, advice=GET)
        if row is None or isinstance(row, Exception):
            self.expect_that(row, "a row", False, GET)
        received = self.attribute(row, "title")
        self.expect(received, "Lighthouse", sent=self.sent, advice=ATTRIBUTE)
        received = self.attribute(row, "garden")
        is_right = isinstance(received, AttributeError)
        self.expect_that(received, "an AttributeError", is_right, NO_COLUMN)

    def test_get_returns_one_row_or_none(self) -> None:
        by_id = "SELECT price FROM houses WHERE id = ?"
        row = self.call("get", by_id, 2, advice=GET)
        self.expect(self.column(row, "price"), 95, sent=f"{self.sent}, then ['price']", advice=GET)
        received = self.call("get", by_id, 99, advice=GET)
        self.expect(received, None, sent=self.sent, advice=GET)

    def test_get_of_several_rows_is_an_error(self) -> None:
        received = self.call("get", "SELECT * FROM houses", advice=GET)
        self.expect_that(received, "a LookupError", isinstance(received, LookupError), GET)

    def test_execute_returns_the_new_id(self) -> None:
        received = self.call("execute", INSERT, "Miller's shed? Yes", None, advice=EXECUTE)
        advice = BOUND if isinstance(received, Exception) else EXECUTE
        if received in (None, 1):
            advice = NOTHING if received is None else SWAPPED
        self.expect(received, 3, sent=self.sent, advice=advice)
        row = self.call("get", "SELECT title, price FROM houses WHERE id = ?", 3, advice=GET)
        received = self.column(row, "title"), self.column(row, "price")
        self.sent = "what execute() has inserted"
        self.expect(received, ("Miller's shed? Yes", None), sent=self.sent, advice=BOUND)

    def test_execute_rowcount_returns_how_many_changed(self) -> None:
        update = "UPDATE houses SET price = price + ? WHERE price > ?"
        for least, expected in ((100, 1), (0, 2), (1000, 0)):
            received = self.call("execute_rowcount", update, 5, least, advice=COUNT)
            advice = NOTHING if received is None else f"{COUNT}\n{SWAPPED}"
            if isinstance(received, Exception):
                advice = BOUND
            self.expect(received, expected, sent=self.sent, advice=advice)

    def test_the_pages_use_it(self) -> None:
        form = {"title": "Tent'); DROP TABLE houses --", "price": "9"}
        self.send("POST", "/houses", form=form).expect(status=201, json={"id": 3}, advice=POST)
        house = {"id": 3, "title": form["title"], "price": 9}
        self.send("GET", "/houses/3").expect(status=200, json=house, advice=PAGE)
        self.send("GET", "/houses/99").expect(status=404, advice=MISSING)
        received = self.outside("SELECT price FROM houses WHERE id = 3")
        sent = "POST /houses, then another connection: SELECT price FROM houses WHERE id = 3"
        self.expect(received, [(9,)], sent=sent, advice=COMMIT)
