"""The migrations and the tables say the same, and lose nothing on the way."""

import asyncio
import contextlib
import sqlite3
import tempfile
import unittest
from pathlib import Path
from typing import Any

import alembic.autogenerate
import alembic.command
import alembic.config
import alembic.migration
import sqlalchemy as sa

from capstone_chat import schema
from capstone_chat.accounts import User
from capstone_chat.app import make_chat
from capstone_chat.database import Database
from capstone_chat.options import Options


class SchemaTest(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = Path(folder.name) / "chat.db"
        self.engine = Database(f"sqlite:///{self.path}").engine
        self.addCleanup(self.engine.dispose)

    def test_the_migrations_give_exactly_the_tables(self) -> None:
        schema.migrate(self.engine)
        with self.engine.connect() as connection:
            context = alembic.migration.MigrationContext.configure(
                connection, opts={"compare_type": True, "compare_server_default": True}
            )
            differences = alembic.autogenerate.compare_metadata(context, schema.metadata)
        self.assertEqual(differences, [])

    def test_migrated_tables_have_the_keys_that_sqlalchemy_would_make(self) -> None:
        # compare_metadata does not look at primary keys, foreign keys' order or WITHOUT ROWID.
        # The order of the columns may differ: a migration adds new ones at the end.
        schema.migrate(self.engine)
        fresh = sa.create_engine("sqlite://")
        self.addCleanup(fresh.dispose)
        schema.metadata.create_all(fresh)

        def made(engine: sa.Engine) -> dict[str, Any]:
            look = sa.inspect(engine)

            def by_name(found: list[Any]) -> list[str]:
                return sorted(repr(sorted(each.items(), key=str)) for each in found)

            query = sa.text("SELECT name, type, wr, strict FROM pragma_table_list")
            with engine.connect() as connection:
                kinds = {row.name: tuple(row) for row in connection.execute(query)}
            return {
                table: {
                    "kind": kinds[table],
                    "columns": by_name(look.get_columns(table)),
                    "primary key": look.get_pk_constraint(table)["constrained_columns"],
                    "foreign keys": by_name(look.get_foreign_keys(table)),
                    "unique": by_name(look.get_unique_constraints(table)),
                    "indexes": by_name(look.get_indexes(table)),
                }
                for table in look.get_table_names()
                if table != "alembic_version"
            }

        migrated = made(self.engine)
        self.assertEqual(migrated, made(fresh))
        self.assertEqual(migrated.keys(), schema.metadata.tables.keys())

    def test_migrating_twice_changes_nothing_and_keeps_what_is_there(self) -> None:
        schema.migrate(self.engine)
        user = schema.users.insert().values(
            name="anna", name_key="anna", nickname="Anna", password="x", created_at=1
        )
        with self.engine.connect().execution_options(writes=True) as connection:
            connection.execute(user)
            connection.commit()

        def everything() -> list[str]:
            with self.engine.connect() as connection:
                raw = connection.connection.driver_connection
                assert raw is not None
                return list(raw.iterdump())

        before = everything()
        schema.migrate(self.engine)
        self.assertEqual(everything(), before)
        self.assertTrue(any("anna" in line for line in before))

    def test_no_other_process_comes_between_two_revisions(self) -> None:
        could_write = []

        @sa.event.listens_for(self.engine, "before_cursor_execute")
        def another_process(*_what: Any) -> None:
            with contextlib.closing(sqlite3.connect(self.path, timeout=0)) as database:
                try:
                    database.execute("BEGIN IMMEDIATE")
                except sqlite3.OperationalError:
                    could_write.append(False)
                else:
                    could_write.append(True)

        schema.migrate(self.engine)
        # Before the first statement, which begins the transaction, and never after it.
        self.assertEqual(could_write.index(False), 1)
        self.assertNotIn(True, could_write[1:])

    def test_a_migration_that_fails_leaves_no_half_of_it(self) -> None:
        with self.engine.connect().execution_options(writes=True) as connection:
            connection.execute(sa.text("CREATE TABLE members (x)"))  # is in the way of the fifth
            connection.commit()
        with self.assertRaises(sa.exc.OperationalError):
            schema.migrate(self.engine)
        self.assertEqual(sa.inspect(self.engine).get_table_names(), ["members"])


FIRST_CHAT = """
INSERT INTO users (id, name, name_key, nickname, password, created_at) VALUES
    (1, 'anna', 'anna', 'Anna', 'x', 1000), (2, 'bob', 'bob', 'Bob', 'x', 2000);
INSERT INTO conversations
    (id, kind, title, title_key, description, public, head, created_at) VALUES
    (1, 'group', 'Garden', 'garden', 'What grows', 1, 1504, 3000);
INSERT INTO members (conversation_id, user_id, role, joined_at, read_seq) VALUES
    (1, 1, 'owner', 3000, 1), (1, 2, 'member', 4000, 2);
INSERT INTO events (conversation_id, seq, type, user_id, cid, text, at) VALUES
    (1, 1, 'member', 1, NULL, 'created', 3000),
    (1, 2, 'member', 2, NULL, 'joined', 4000),
    (1, 3, 'message', 1, '0b5f4a4e-4c37-4d0a-9d65-0c4d0e3a2b11', 'Die Straße ist naß', 5000),
    (1, 4, 'message', 2, '0b5f4a4e-4c37-4d0a-9d65-0c4d0e3a2b12', 'Чай готов', 6000);
WITH RECURSIVE n(i) AS (SELECT 5 UNION ALL SELECT i + 1 FROM n WHERE i < 1504)
    INSERT INTO events (conversation_id, seq, type, user_id, cid, text, at)
    SELECT 1, i, 'message', 1, 'cid-' || i, 'MESSAGE ' || i, 6000 + i FROM n;
"""
"""What the first version of the chat has written: more messages than are folded in one go."""


class FirstChatTest(unittest.TestCase):
    """A database of the first version is brought up to date when the chat starts."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        database = Database(f"sqlite:///{Path(folder.name) / 'chat.db'}")
        config = alembic.config.Config()
        migrations = Path(schema.__file__).parent / "migrations"
        config.set_main_option("script_location", str(migrations))
        with database.engine.connect().execution_options(writes=True) as connection:
            config.attributes["connection"] = connection
            with connection.begin():
                alembic.command.upgrade(config, "0001")
            raw = connection.connection.driver_connection
            assert raw is not None
            raw.executescript(FIRST_CHAT)
        database.engine.dispose()

    def test_its_history_is_kept_and_found_by_search(self) -> None:
        asyncio.run(self.look())

    async def look(self) -> None:
        chat = make_chat(Options(data=self.folder))
        try:
            bob = User(2, "Bob", None, "bob", "", "")
            found, head = await chat.conversations.history(bob, 1, before=5, after=None, limit=10)
            told = [(event.seq, event.author.nickname, event.text) for event in found]
            expected = [
                (1, "Anna", "created"),
                (2, "Bob", "joined"),
                (3, "Anna", "Die Straße ist naß"),
                (4, "Bob", "Чай готов"),
            ]
            self.assertEqual((told, head), (expected, 1504))
            one = await chat.conversations.one(bob, 1)
            kept = [one[name] for name in ("title", "description", "public", "read", "unread")]
            self.assertEqual(kept, ["Garden", "What grows", True, 2, 100])
            for text, seqs in ("STRASSE", [3]), ("чАЙ", [4]), ("message 1504", [1504]):
                events = await chat.conversations.find(bob, 1, text, before=None, limit=30)
                self.assertEqual([event.seq for event in events], seqs)
        finally:
            await chat.close()
