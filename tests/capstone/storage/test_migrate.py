"""The migrations and the tables say the same, and lose nothing on the way."""

import asyncio
import contextlib
import sqlite3
import tempfile
import unittest
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import alembic.autogenerate
import alembic.migration
import alembic.script
import sqlalchemy as sa

from capstone_chat import urls
from capstone_chat.app import prepare_database
from capstone_chat.conversations.users import User
from capstone_chat.options import Options
from capstone_chat.services import Services
from capstone_chat.storage import engines, migrate, tables
from capstone_chat.storage.database import Database
from capstone_chat.text.search_folding import fold
from fault_injection.scenarios.migration import changes, contents
from tests.capstone import databases


class FileCase(unittest.TestCase):
    """An SQLite file without any tables."""

    def setUp(self) -> None:
        self.path = Path(self.enterContext(tempfile.TemporaryDirectory())) / "chat.db"
        self.engine = Database(urls.sqlite_url(self.path)).engine
        self.addCleanup(self.engine.dispose)


class SchemaTest(FileCase):
    def test_the_migrations_give_exactly_the_tables(self) -> None:
        migrate.migrate(self.engine)
        with self.engine.connect() as connection:
            context = alembic.migration.MigrationContext.configure(
                connection, opts={"compare_type": True, "compare_server_default": True}
            )
            differences = alembic.autogenerate.compare_metadata(context, tables.metadata)
        self.assertEqual(differences, [])

    def test_the_revision_of_the_tables_is_that_of_the_newest_migration(self) -> None:
        folder = Path(tables.__file__).parent / "migrations"
        newest = alembic.script.ScriptDirectory(str(folder)).get_current_head()
        self.assertEqual(migrate.REVISION, newest)

    def test_migrated_tables_have_the_keys_that_sqlalchemy_would_make(self) -> None:
        # compare_metadata does not look at primary keys, foreign keys' order or WITHOUT ROWID.
        # The order of the columns may differ: a migration adds new ones at the end.
        migrate.migrate(self.engine)
        fresh = sa.create_engine("sqlite://")
        self.addCleanup(fresh.dispose)
        tables.metadata.create_all(fresh)

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
        self.assertEqual(migrated.keys(), tables.metadata.tables.keys())

    def test_migrating_twice_changes_nothing_and_keeps_what_is_there(self) -> None:
        migrate.migrate(self.engine)
        user = tables.users.insert().values(
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
        migrate.migrate(self.engine)
        self.assertEqual(everything(), before)
        self.assertTrue(any("anna" in line for line in before))

    def test_no_other_process_comes_between_two_revisions(self) -> None:
        could_write = []

        @sa.event.listens_for(self.engine, "before_cursor_execute")
        def another_process(*_what: object) -> None:
            with contextlib.closing(sqlite3.connect(self.path, timeout=0)) as database:
                try:
                    database.execute("BEGIN IMMEDIATE")
                except sqlite3.OperationalError:
                    could_write.append(False)
                else:
                    could_write.append(True)

        migrate.migrate(self.engine)
        # The statement that begins the transaction calls no listener; all others come after it.
        self.assertEqual(set(could_write), {False})

    def test_a_migration_that_fails_leaves_no_half_of_it(self) -> None:
        with self.engine.connect().execution_options(writes=True) as connection:
            connection.execute(sa.text("CREATE TABLE members (x)"))  # is in the way of the fifth
            connection.commit()
        with self.assertRaisesRegex(
            migrate.MigrationError, "the table members is not the one of the chat"
        ):
            migrate.migrate(self.engine)
        self.assertEqual(sa.inspect(self.engine).get_table_names(), ["members"])


BEFORE_REACH = """
INSERT INTO users (id, name, name_key, nickname, password, created_at, deleted_at) VALUES
    (1, 'paypal', 'paypal', 'Anna', 'x', 1, NULL), (2, 'paypa1', 'paypa1', 'Bob', 'x', 2, NULL),
    (3, 'раураӏ', 'раураӏ', 'Carl', 'x', 3, NULL), (4, 'dora', 'dora', 'Dora', 'x', 4, NULL),
    (5, 'deleted-5', 'deleted user 5', 'deleted user', '', 5, 6);
INSERT INTO conversations
    (id, kind, title, title_key, description, public, head, created_at) VALUES
    (1, 'group', 'Garden', 'garden', '', 1, 9, 1);
INSERT INTO members (conversation_id, user_id, role, joined_at, read_seq) VALUES
    (1, 1, 'owner', 1, 1), (1, 3, 'member', 1, 1);
INSERT INTO events (conversation_id, seq, type, user_id, text, subject_id, at) VALUES
    (1, 1, 'member', 2, 'left', NULL, 1), (1, 2, 'member', 2, 'left', NULL, 1),
    (1, 3, 'member', 1, 'removed', 4, 1), (1, 4, 'member', 3, 'left', NULL, 1),
    (1, 5, 'member', 5, 'left', NULL, 1), (1, 6, 'message', 3, 'left', NULL, 1);
"""
"""Names that look alike, and members who have left, were removed and came back."""


class ReachTest(FileCase):
    """Revision 0004, which can be run again from wherever it stopped."""

    def setUp(self) -> None:
        super().setUp()
        with self.engine.connect().execution_options(writes=True) as connection:
            with connection.begin():
                migrate.upgrade(connection, "0003")
            raw = connection.connection.driver_connection
            assert raw is not None
            raw.executescript(BEFORE_REACH)

    def upgrade(self, statements: int) -> bool:
        """Run the migration, and stop it after a number of statements that change the database.

        The statements before that stay done, as on MariaDB.

        Returns:
            Whether the migration was complete before that.
        """
        left = statements

        def count(_c: object, _cursor: object, statement: str, *_more: object) -> None:
            nonlocal left
            if statement.split(maxsplit=1)[0] in ("ALTER", "CREATE", "INSERT", "UPDATE"):
                left -= 1
                if left < 0:
                    raise InterruptedError

        with self.engine.connect().execution_options(writes=True) as connection:
            connection.begin()
            sa.event.listen(self.engine, "before_cursor_execute", count)
            try:
                migrate.upgrade(connection, "0004")
            except InterruptedError:
                return False
            finally:
                sa.event.remove(self.engine, "before_cursor_execute", count)
                connection.commit()
        return True

    def test_it_goes_on_from_wherever_it_stopped(self) -> None:
        statements = 0
        while not self.upgrade(statements % 5):  # each time a little further
            statements += 1
            self.assertLess(statements, 60)
        self.assertGreater(statements, 5)
        upgrade(self.engine, migrate.REVISION)
        with self.engine.connect() as connection:
            query = sa.select(tables.users.c.id, tables.users.c.name_skeleton)
            skeletons = {row.id: row.name_skeleton for row in connection.execute(query)}
            gone = connection.execute(sa.select(tables.departures)).all()
            context = alembic.migration.MigrationContext.configure(connection)
            differences = alembic.autogenerate.compare_metadata(context, tables.metadata)
        expected = {1: "paypal", 2: None, 3: None, 4: "dora", 5: None}
        self.assertEqual((skeletons, differences), (expected, []))
        self.assertEqual({tuple(row) for row in gone}, {(1, 2, False), (1, 4, True)})


def upgrade(engine: sa.Engine, revision: str) -> None:
    """Bring a database to a revision."""
    with engine.connect().execution_options(writes=True) as connection, connection.begin():
        migrate.upgrade(connection, revision)


class SearchFoldingTest(unittest.TestCase):
    """Messages of before are found by equal letters; on each database that the tests run on."""

    def setUp(self) -> None:
        if databases.is_server():
            self.url = self.enterContext(databases.unmigrated(databases.CHOSEN))
        else:
            folder = self.enterContext(tempfile.TemporaryDirectory())
            self.url = str(urls.sqlite_url(Path(folder) / "chat.db"))
        self.engine = engines.create_engine(self.url, connections=1)
        self.addCleanup(self.engine.dispose)
        upgrade(self.engine, "0003")
        old = {"kind": "group", "description": "", "public": True, "head": 2500, "created_at": 1}
        texts = ["Ёлка", "don’t", None, *(f"Слово {n}" for n in range(2497))]
        with self.engine.execution_options(writes=True).begin() as connection:
            user = {"name": "a", "name_key": "a", "nickname": "A", "password": "x", "created_at": 1}
            connection.execute(tables.users.insert(), user)
            groups = [old | {"title": title, "title_key": "old"} for title in ("Ёлки", "Café")]
            private = old | {"kind": "private", "title": "", "title_key": ""}
            connection.execute(tables.conversations.insert(), [*groups, private])
            rows = [
                {"conversation_id": 1, "seq": seq, "type": "message", "user_id": 1, "at": 1}
                | {"text": text, "folded": None if text is None else text.casefold()}
                for seq, text in enumerate(texts, 1)
            ]
            connection.execute(tables.events.insert(), rows)

    def folded(self) -> list[str | None]:
        query = sa.select(tables.events.c.folded).order_by(tables.events.c.seq)
        with self.engine.begin() as connection:
            return list(connection.scalars(query))

    def titles(self) -> list[str]:
        query = sa.select(tables.conversations.c.title_key).order_by(tables.conversations.c.id)
        with self.engine.begin() as connection:
            return list(connection.scalars(query))

    def test_they_are_folded_anew(self) -> None:
        upgrade(self.engine, "0005")
        self.assertEqual(self.folded()[:4], ["елка", "don't", None, "слово 0"])
        self.assertEqual(self.folded()[-1], "слово 2496")
        self.assertEqual(self.titles(), ["елки", "cafe", ""])

    def test_the_migration_can_stop_at_any_statement_and_run_again(self) -> None:
        statements = 0
        last = 0

        def count(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
            nonlocal statements
            statements += "events" in statement or "conversations" in statement
            if statements == last:
                raise StoppedError

        sa.event.listen(self.engine, "before_cursor_execute", count)
        while statements == last:  # the next one was reached
            statements = 0
            last += 1
            with contextlib.suppress(StoppedError):
                upgrade(self.engine, "0005")
        self.assertGreaterEqual(statements, 5)
        sa.event.remove(self.engine, "before_cursor_execute", count)
        upgrade(self.engine, "0005")
        self.assertEqual(self.folded()[:3], ["елка", "don't", None])
        self.assertEqual(self.titles(), ["елки", "cafe", ""])

    def test_the_rule_of_the_migration_is_the_rule_of_the_chat(self) -> None:
        script = alembic.script.ScriptDirectory(
            str(Path(tables.__file__).parent / "migrations")
        ).get_revision("0005")
        for text in ("Ёлка", "don’t", "Й\u0316", "\ufdfa\u200d", "a\u0301" * 40, "ẞ  \n ς", "≠"):
            self.assertEqual(script.module.fold(text), fold(text))


class StoppedError(Exception):
    """The process ends in the middle of a migration."""


FIRST_CHAT = """
INSERT INTO users (id, name, name_key, nickname, password, created_at) VALUES
    (1, 'anna', 'anna', 'Anna', 'x', 1000), (2, 'bob', 'bob', 'Bob', 'x', 2000);
INSERT INTO conversations
    (id, kind, title, title_key, description, public, head, created_at) VALUES
    (1, 'group', 'Garden', 'garden', 'What grows', TRUE, 1504, 3000);
INSERT INTO members (conversation_id, user_id, role, joined_at, read_seq) VALUES
    (1, 1, 'owner', 3000, 1), (1, 2, 'member', 4000, 2);
INSERT INTO events (conversation_id, seq, type, user_id, cid, text, at) VALUES
    (1, 1, 'member', 1, NULL, 'created', 3000),
    (1, 2, 'member', 2, NULL, 'joined', 4000),
    (1, 3, 'message', 1, '0b5f4a4e-4c37-4d0a-9d65-0c4d0e3a2b11', 'Die Straße ist naß', 5000),
    (1, 4, 'message', 2, '0b5f4a4e-4c37-4d0a-9d65-0c4d0e3a2b12', 'Чай готов', 6000);
INSERT INTO events (conversation_id, seq, type, user_id, cid, text, at) VALUES
""" + ",".join(
    f"(1, {n}, 'message', 1, 'cid-{n}', 'MESSAGE {n}', {6000 + n})" for n in range(5, 1505)
)
"""What the first version of the chat has written: more messages than are folded in one go."""


def make_first_chat(engine: sa.Engine) -> None:
    """Make an empty database one of the first version, with data."""
    with engine.execution_options(writes=True).begin() as connection:
        migrate.upgrade(connection, "0001")
        for statement in FIRST_CHAT.split(";"):
            connection.exec_driver_sql(statement)


class FirstChatTest(unittest.TestCase):
    """A database of the first version is brought up to date when the chat starts."""

    def setUp(self) -> None:
        self.folder = self.enterContext(tempfile.TemporaryDirectory())
        database = Database(urls.sqlite_url(Path(self.folder) / "chat.db"))
        make_first_chat(database.engine)
        database.engine.dispose()

    def test_its_history_is_kept_and_found_by_search(self) -> None:
        asyncio.run(self.look())

    async def look(self) -> None:
        options = Options(data=self.folder)
        prepare_database(options)
        chat = Services(options, "x" * 32)
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
            one = await chat.conversations.get(bob, 1)
            kept = [one[name] for name in ("title", "description", "public", "read", "unread")]
            self.assertEqual(kept, ["Garden", "What grows", True, 2, 100])
            for text, seqs in ("STRASSE", [3]), ("чАЙ", [4]), ("message 1504", [1504]):
                events, _ = await chat.conversations.search(bob, 1, text, before=None, limit=30)
                self.assertEqual([event.seq for event in events], seqs)
        finally:
            await chat.close()


def never_flush(connection: sqlite3.Connection, _record: object) -> None:
    """Spare the disk: these files need to survive nothing."""
    connection.execute("PRAGMA journal_mode = MEMORY")
    connection.execute("PRAGMA synchronous = OFF")


class Killed(Exception):
    """Stands for the end of the process."""


class KilledTest(unittest.TestCase):
    """A migration is run again from wherever it stopped.

    SQLite plays MariaDB here: it commits with each statement. With TEST_DATABASE the server itself
    is asked, at some of the points; `fault_injection/scenarios/migration.py` kills at all.
    """

    def setUp(self) -> None:
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.number = 0
        self.every = 4 if databases.is_server() else 1

    @contextlib.contextmanager
    def new_database(self, *, first: bool) -> Iterator[sa.Engine]:
        """Give an empty database, or one of the first version."""
        with contextlib.ExitStack() as stack:
            if databases.is_server():
                url = stack.enter_context(databases.unmigrated(databases.CHOSEN))
                engine = engines.create_engine(url, statement_timeout=None)
            else:
                self.number += 1
                file = self.folder / f"{self.number}.db"
                engine = sa.create_engine(urls.sqlite_url(file), isolation_level="AUTOCOMMIT")
                sa.event.listen(engine, "connect", never_flush)
            stack.callback(engine.dispose)
            if first:
                make_first_chat(engine)
            yield engine

    def migrate(self, engine: sa.Engine, *, stop_before: int | None = None) -> list[str]:
        """Migrate, or stop in the place of a statement; return the first words of all."""
        done: list[str] = []

        def count(_c: object, _cursor: object, statement: str, *_more: object) -> None:
            if len(done) == stop_before:
                raise Killed
            done.append(statement.split(maxsplit=1)[0])

        sa.event.listen(engine, "before_cursor_execute", count)
        try:
            migrate.migrate(engine)
        finally:
            sa.event.remove(engine, "before_cursor_execute", count)
        return done

    def check(self, *, first: bool) -> None:
        with self.new_database(first=first) as engine:
            statements = self.migrate(engine)
            whole = contents(engine)
        points = changes(statements)[:-1]  # after the last one nothing is left to do
        self.assertGreater(len(points), 15)
        for point in points[:: self.every]:
            with self.subTest(point=point), self.new_database(first=first) as engine:
                with self.assertRaises(Killed):
                    self.migrate(engine, stop_before=point)
                self.migrate(engine)
                self.assertEqual(contents(engine), whole)

    def test_an_empty_database_is_migrated_again_from_every_statement(self) -> None:
        self.check(first=False)

    def test_a_first_chat_is_migrated_again_from_every_statement(self) -> None:
        self.check(first=True)

    def test_a_table_of_versions_that_is_empty_is_that_of_a_migration_that_has_just_begun(
        self,
    ) -> None:
        versions = "SELECT version_num FROM alembic_version"
        with self.new_database(first=True) as engine:
            with engine.execution_options(writes=True).begin() as connection:
                connection.execute(sa.text("DELETE FROM alembic_version"))
            self.migrate(engine)
            with engine.connect() as connection:
                self.assertEqual(connection.scalars(sa.text(versions)).all(), [migrate.REVISION])
                self.assertEqual(
                    connection.scalar(sa.select(sa.func.count(tables.events.c.folded))), 1502
                )

    def test_a_process_waits_for_another_one_that_migrates_however_long_that_takes(self) -> None:
        engine = engines.create_engine(
            urls.sqlite_url(self.folder / "chat.db"), statement_timeout=None
        )
        self.addCleanup(engine.dispose)
        with engine.connect() as connection:
            busy_timeout = connection.exec_driver_sql("PRAGMA busy_timeout").scalar_one()
        self.assertEqual(busy_timeout, 24 * 3600 * 1000)
