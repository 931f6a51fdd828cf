"""The four methods against a table of the check's own, then the two pages."""

import contextlib
import sqlite3
import tempfile
from pathlib import Path
from typing import Any

import tornado.web

from course.exercise_case import ExerciseCase, Mismatch

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

    def call(self, name: str, *arguments: Any, look: str) -> Any:
        """What the method returns, or the exception that it raises."""
        self.sent = f"db.{name}({', '.join(map(repr, arguments))})"
        method = getattr(self.db, name, None)
        if method is None:
            raise Mismatch(
                sent=self.sent, came="no such method", expected=f"a method {name}()", look=look
            )
        try:
            return method(*arguments)
        except Exception as error:
            return error

    def expect_that(self, came: object, expected: str, is_right: bool, look: str) -> None:
        if not is_right:
            raise Mismatch(sent=self.sent, came=repr(came), expected=expected, look=look)

    def expect_value(self, expected: Any, name: str, *arguments: Any, look: str) -> None:
        came = self.call(name, *arguments, look=look)
        if came is None:
            look = NOTHING
        elif isinstance(came, Exception):
            look = BOUND
        self.expect(came, expected, sent=self.sent, look=look)

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
        rows = self.call("query", "SELECT title FROM houses ORDER BY id", look=QUERY)
        look = NOTHING if rows is None else A_LIST
        self.expect_that(rows, "a list of two rows", isinstance(rows, list), look)
        self.expect_that(rows, "a list of two rows", len(rows) == 2, QUERY)
        titles = [self.column(row, "title") for row in rows]
        self.sent += ", then ['title'] of each row"
        look = f"{INDEX}\n{QUERY}"
        self.expect(titles, ["Lighthouse", "Windmill"], sent=self.sent, look=look)
        self.expect_value([], "query", "SELECT title FROM houses WHERE id = ?", 99, look=QUERY)

    def test_a_row_has_keys_and_attributes(self) -> None:
        row = self.call("get", "SELECT * FROM houses WHERE id = ?", 1, look=GET)
        if row is None or isinstance(row, Exception):
            self.expect_that(row, "a row", False, GET)
        came = self.attribute(row, "title")
        self.expect(came, "Lighthouse", sent=self.sent, look=ATTRIBUTE)
        came = self.attribute(row, "garden")
        is_right = isinstance(came, AttributeError)
        self.expect_that(came, "an AttributeError", is_right, NO_COLUMN)

    def test_get_returns_one_row_or_none(self) -> None:
        by_id = "SELECT price FROM houses WHERE id = ?"
        row = self.call("get", by_id, 2, look=GET)
        self.expect(self.column(row, "price"), 95, sent=f"{self.sent}, then ['price']", look=GET)
        came = self.call("get", by_id, 99, look=GET)
        self.expect(came, None, sent=self.sent, look=GET)

    def test_get_of_several_rows_is_an_error(self) -> None:
        came = self.call("get", "SELECT * FROM houses", look=GET)
        self.expect_that(came, "a LookupError", isinstance(came, LookupError), GET)

    def test_execute_returns_the_new_id(self) -> None:
        came = self.call("execute", INSERT, "Miller's shed? Yes", None, look=EXECUTE)
        look = BOUND if isinstance(came, Exception) else EXECUTE
        if came in (None, 1):
            look = NOTHING if came is None else SWAPPED
        self.expect(came, 3, sent=self.sent, look=look)
        row = self.call("get", "SELECT title, price FROM houses WHERE id = ?", 3, look=GET)
        came = self.column(row, "title"), self.column(row, "price")
        self.sent = "what execute() has inserted"
        self.expect(came, ("Miller's shed? Yes", None), sent=self.sent, look=BOUND)

    def test_execute_rowcount_returns_how_many_changed(self) -> None:
        update = "UPDATE houses SET price = price + ? WHERE price > ?"
        for least, expected in ((100, 1), (0, 2), (1000, 0)):
            came = self.call("execute_rowcount", update, 5, least, look=COUNT)
            look = NOTHING if came is None else f"{COUNT}\n{SWAPPED}"
            if isinstance(came, Exception):
                look = BOUND
            self.expect(came, expected, sent=self.sent, look=look)

    def test_the_pages_use_it(self) -> None:
        form = {"title": "Tent'); DROP TABLE houses --", "price": "9"}
        self.send("POST", "/houses", form=form).expect(status=201, json={"id": 3}, look=POST)
        house = {"id": 3, "title": form["title"], "price": 9}
        self.send("GET", "/houses/3").expect(status=200, json=house, look=PAGE)
        self.send("GET", "/houses/99").expect(status=404, look=MISSING)
        came = self.outside("SELECT price FROM houses WHERE id = 3")
        sent = "POST /houses, then another connection: SELECT price FROM houses WHERE id = 3"
        self.expect(came, [(9,)], sent=sent, look=COMMIT)
