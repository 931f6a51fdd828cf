"""A compiled statement gives what SQLAlchemy gives: the same rows, and the same errors."""

from typing import Any

import sqlalchemy as sa
import tornado.testing

from capstone_chat.storage import engines
from capstone_chat.storage.compiled import CompiledStatement
from capstone_chat.storage.tables import login_failures
from tests.capstone import databases
from tests.capstone.chat_case import DatabaseCase

ROWS = [{"key": f"account:{n}", "failed": n, "at": 1000} for n in range(3)]
INSERT = CompiledStatement(login_failures.insert())
BY_COUNT = CompiledStatement(
    sa.select(login_failures.c.key, login_failures.c.failed)
    .where(login_failures.c.failed >= sa.bindparam("least"), login_failures.c.at == 1000)
    .order_by(login_failures.c.failed)
)


class CompiledStatementTest(DatabaseCase):
    @tornado.testing.gen_test
    async def test_rows_are_inserted_and_found(self) -> None:
        await self.database.write(lambda connection: INSERT.run_many(connection, ROWS))
        for _ in range(2):  # compiled, and from then on known
            found = await self.database.read(
                lambda connection: BY_COUNT.fetch_all(connection, {"least": 1})
            )
            self.assertEqual(found, [("account:1", 1), ("account:2", 2)])

    @tornado.testing.gen_test
    async def test_a_row_that_is_there_is_an_integrity_error_without_its_values(self) -> None:
        def change(connection: sa.Connection) -> None:
            INSERT.run_many(connection, ROWS)

        await self.database.write(change)
        with self.assertRaises(sa.exc.IntegrityError) as caught:
            await self.database.write(change)
        self.assertNotIn("1000", str(caught.exception).partition("[SQL")[2])
        self.assertEqual(
            await self.database.read(lambda c: BY_COUNT.fetch_all(c, {"least": 2})),
            [("account:2", 2)],
        )

    @tornado.testing.gen_test
    async def test_a_statement_that_is_wrong_is_an_error_of_sqlalchemy(self) -> None:
        wrong = CompiledStatement(sa.text("SELECT nothing FROM nowhere"))
        with self.assertRaises(sa.exc.DBAPIError):
            await self.database.read(lambda connection: wrong.fetch_all(connection, {}))


ENDED = {
    "postgresql": "SELECT pg_terminate_backend(pg_backend_pid())",
    "mariadb": "KILL CONNECTION_ID()",
}

if databases.CHOSEN in ENDED:  # SQLite has no connection to a server that can be lost

    class LostConnectionTest(DatabaseCase):
        @tornado.testing.gen_test
        async def test_a_connection_that_is_lost_is_replaced(self) -> None:
            kill = CompiledStatement(sa.text(ENDED[databases.CHOSEN]))

            def lose(connection: sa.Connection) -> Any:
                return kill.fetch_all(connection, {})

            with self.assertRaises(engines.DATABASE_ERRORS) as caught:
                await self.database.write(lose)
            self.assertTrue(getattr(caught.exception, "connection_invalidated", False))
            await self.database.write(lambda connection: INSERT.run_many(connection, ROWS))
