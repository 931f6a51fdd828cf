"""The four methods against a table of the check's own, then the two pages."""

from typing import Any

import tornado.web

from course.exercise_case import ExerciseCase, Mismatch

INSERT = "INSERT INTO houses (title, price) VALUES (?, ?)"
QUERY = "query(): cursor.description has the names of the columns, cursor.fetchall() the values"
ATTRIBUTE = "a class Row(dict) whose __getattr__(self, name) returns self[name]"
NO_COLUMN = "__getattr__() raises AttributeError for a column that is not there, not KeyError"
GET = "get(): ask query(), then look how many rows there are: one, none, several"
EXECUTE = "execute(): the cursor's lastrowid"
COUNT = "execute_rowcount(): the cursor's rowcount"
POST = "POST /houses: set_status(201), and write {'id': ...} with what execute() returned"
PAGE = "GET /houses/ID: write() takes the row, for it is a dict; None is an HTTPError(404)"
BOUND = "give sql and values to the link as two arguments: self.link.execute(sql, values)"


class RowAdapter(ExerciseCase):
    def get_app(self) -> tornado.web.Application:
        self.db = self.subject.Connection()
        self.db.link.execute(self.subject.TABLE)
        self.db.link.execute(INSERT, ("Lighthouse", 140))
        self.db.link.execute(INSERT, ("Windmill", 95))
        return self.make_app(self.db)

    def tearDown(self) -> None:
        super().tearDown()
        self.db.link.close()

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
        self.expect(came, expected, sent=self.sent, look=look)

    def attribute(self, row: Any, name: str) -> object:
        self.sent += f", then .{name}"
        try:
            return getattr(row, name)
        except Exception as error:
            return error

    def test_query_returns_all_rows(self) -> None:
        rows = [{"title": "Lighthouse"}, {"title": "Windmill"}]
        self.expect_value(rows, "query", "SELECT title FROM houses ORDER BY id", look=QUERY)
        self.expect_value([], "query", "SELECT title FROM houses WHERE id = ?", 99, look=QUERY)

    def test_a_row_has_keys_and_attributes(self) -> None:
        row = self.call("get", "SELECT * FROM houses WHERE id = ?", 1, look=GET)
        came = self.attribute(row, "title")
        self.expect(came, "Lighthouse", sent=self.sent, look=ATTRIBUTE)
        came = self.attribute(row, "garden")
        is_right = isinstance(came, AttributeError)
        self.expect_that(came, "an AttributeError", is_right, NO_COLUMN)

    def test_get_returns_one_row_or_none(self) -> None:
        by_id = "SELECT price FROM houses WHERE id = ?"
        self.expect_value({"price": 95}, "get", by_id, 2, look=GET)
        self.expect_value(None, "get", by_id, 99, look=GET)

    def test_get_of_several_rows_is_an_error(self) -> None:
        came = self.call("get", "SELECT * FROM houses", look=GET)
        self.expect_that(came, "a LookupError", type(came) is LookupError, GET)

    def test_execute_returns_the_new_id(self) -> None:
        self.expect_value(3, "execute", INSERT, "Miller's shed", 20, look=f"{EXECUTE}\n{BOUND}")

    def test_execute_rowcount_returns_how_many_changed(self) -> None:
        update = "UPDATE houses SET price = price + ? WHERE price > ?"
        self.expect_value(1, "execute_rowcount", update, 5, 100, look=COUNT)
        self.expect_value(2, "execute_rowcount", update, 5, 0, look=COUNT)

    def test_the_pages_use_it(self) -> None:
        form = {"title": "Tent'); DROP TABLE houses --", "price": "9"}
        self.send("POST", "/houses", form=form).expect(status=201, json={"id": 3}, look=POST)
        house = {"id": 3, "title": form["title"], "price": 9}
        self.send("GET", "/houses/3").expect(status=200, json=house, look=PAGE)
        self.send("GET", "/houses/99").expect(status=404, look=PAGE)
