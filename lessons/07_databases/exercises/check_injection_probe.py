"""What honest and dishonest visitors type; afterwards the table is as it should be."""

import sqlite3

import tornado.escape
import tornado.web

from course.exercise_case import Answer, ExerciseCase

BIND = "a ? in the SQL, and the value as an argument of its own: execute('... = ?', [value])"
KEEP = "an id that is there still works as before"
NONE = "fetchone() is None when there is no such row: raise tornado.web.HTTPError(404)"
GONE = "the cursor's rowcount is how many rows a DELETE took: none is a 404"
TYPED = ("0 OR 1=1", "0 UNION SELECT code FROM houses", "1; DROP TABLE houses", "1'", "99", "")


class InjectionProbe(ExerciseCase):
    def get_app(self) -> tornado.web.Application:
        self.db = sqlite3.connect(":memory:", isolation_level=None)
        self.db.execute("CREATE TABLE houses (id INTEGER PRIMARY KEY, title TEXT, code TEXT)")
        for house in (("Lighthouse", "4711"), ("Windmill", "0815")):
            self.db.execute("INSERT INTO houses (title, code) VALUES (?, ?)", house)
        return self.make_app(self.db)

    def tearDown(self) -> None:
        super().tearDown()
        self.db.close()

    def ask(self, method: str, number: str) -> Answer:
        query = tornado.escape.url_escape(number)
        return self.send(method, f"/house?id={query}")

    def expect_titles(self, sent: str, *titles: str) -> None:
        rows = self.db.execute("SELECT title FROM houses ORDER BY id").fetchall()
        self.expect(
            [title for (title,) in rows], list(titles), sent=f"{sent}\nall titles?", look=BIND
        )

    def test_a_house_is_found(self) -> None:
        self.ask("GET", "2").expect(status=200, json={"title": "Windmill"}, look=KEEP)

    def test_sql_in_an_id_finds_nothing(self) -> None:
        for typed in TYPED:
            with self.subTest(typed):
                self.ask("GET", typed).expect(status=404, look=f"{BIND}\n{NONE}")

    def test_sql_in_an_id_deletes_nothing(self) -> None:
        for typed in TYPED:
            with self.subTest(typed):
                answer = self.ask("DELETE", typed)
                self.expect_titles(answer.sent, "Lighthouse", "Windmill")
                answer.expect(status=404, look=GONE)

    def test_a_house_is_deleted(self) -> None:
        answer = self.ask("DELETE", "1").expect(status=204, body="", look=KEEP)
        self.expect_titles(answer.sent, "Windmill")
