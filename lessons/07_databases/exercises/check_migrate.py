"""Each step runs once in a database, whichever process runs it; a step that fails runs later."""

import contextlib
import sqlite3
import tempfile
from pathlib import Path
from typing import Any

from course.testing.http import ExerciseCase, Mismatch

ONCE = (
    "Keep the number of the steps that have run in a table of this database, such as\n"
    "schema_version, and run only those after it"
)
COMMIT = (
    "Another connection must see the number: db.commit() after the step and its number. A count\n"
    "in the program is lost when the program ends"
)
NEW = "Run the steps from the stored number on: steps[number:], in their order"
FAILED = (
    "A step that fails must raise its exception, and must not count: store its number after it\n"
    "has run. The steps before it count"
)
COUNT = "Return how many steps this call has run"


class Migrate(ExerciseCase):
    def setUp(self) -> None:
        self.path = Path(self.enterContext(tempfile.TemporaryDirectory()), "houses.db")
        self.sent: list[str] = []
        super().setUp()

    def start(self, *steps: str) -> Any:
        """Call migrate() over a new connection, as each start of a program does."""
        self.sent.append(f"migrate(db, {list(steps)})")
        with contextlib.closing(sqlite3.connect(self.path)) as db:
            return self.subject.migrate(db, list(steps))

    def expect_start(self, expected: int, *steps: str, advice: str) -> None:
        try:
            received: object = self.start(*steps)
        except sqlite3.Error as error:
            received = f"{type(error).__name__}: {error}"
        if received != expected:
            raise Mismatch(
                sent="\n".join(self.sent),
                received=str(received),
                expected=str(expected),
                advice=COUNT if received is None else advice,
            )

    def expect_rows(self, expected: list[int], advice: str) -> None:
        with contextlib.closing(sqlite3.connect(self.path)) as db:
            rows = [number for (number,) in db.execute("SELECT n FROM t ORDER BY rowid")]
        sent = "\n".join([*self.sent, "SELECT n FROM t"])
        self.expect(rows, expected, sent=sent, advice=advice)

    def test_a_second_start_runs_nothing(self) -> None:
        steps = ["CREATE TABLE t (n INTEGER)", "INSERT INTO t VALUES (1)"]
        self.expect_start(2, *steps, advice=ONCE)
        self.expect_rows([1], COMMIT)
        self.expect_start(0, *steps, advice=f"{ONCE}.\n{COMMIT}")
        self.expect_rows([1], ONCE)

    def test_a_new_version_runs_its_new_steps_in_order(self) -> None:
        steps = ["CREATE TABLE t (n INTEGER)", "INSERT INTO t VALUES (1)"]
        self.expect_start(1, *steps[:1], advice=ONCE)
        steps += ["INSERT INTO t VALUES (2)", "INSERT INTO t VALUES (3)"]
        self.expect_start(3, *steps, advice=NEW)
        self.expect_rows([1, 2, 3], NEW)

    def test_two_databases_are_two(self) -> None:
        step = "CREATE TABLE t (n INTEGER)"
        self.expect_start(1, step, advice=ONCE)
        self.path = self.path.with_name("other.db")
        self.sent.append("and with another database:")
        self.expect_start(1, step, advice=ONCE)

    def test_a_step_that_fails_runs_later(self) -> None:
        good, bad = "CREATE TABLE t (n INTEGER)", "INSERT INTO no_such_table VALUES (1)"
        try:
            received = self.start(good, bad)
        except sqlite3.Error:
            received = None
        if received is not None:
            sent = "\n".join(self.sent)
            raise Mismatch(
                sent=sent, received=str(received), expected="OperationalError", advice=FAILED
            )
        self.expect_start(1, good, "INSERT INTO t VALUES (2)", advice=FAILED)
        self.expect_rows([2], FAILED)
