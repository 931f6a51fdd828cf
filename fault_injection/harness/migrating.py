"""Runs migrations in processes that can be killed at a chosen statement.

    python -m fault_injection.harness.migrating

The process reads a job for each migration from standard input, as JSON, and forks: a new
interpreter for each of some hundred migrations would take longer than the migrations. The child
prints the first words of the statements that it has executed, the parent prints the exit status of
the child.
"""

import json
import os
import signal
import sys
import time
from typing import Any

import msgspec
import sqlalchemy as sa

from capstone_chat.storage import engines, migrate

FIRST = "0001"
"""The revision of the first version of the chat."""


class MigrationJob(msgspec.Struct):
    """One migration.

    Args:
        url: SQLAlchemy URL of the database.
        first: whether to stop at the tables of the first version.
        die_before: number of a statement, from 0; the process kills itself before it.
        die_after: seconds after which the process is killed.
    """

    url: str = ""
    first: bool = False
    die_before: int | None = None
    die_after: float | None = None


class Outcome(msgspec.Struct):
    """The end of a migration.

    Args:
        status: exit code, or minus the number of the signal.
        statements: first words of the executed statements, if the migration was not killed.
    """

    status: int
    statements: list[str] = []


def start_migration(job: MigrationJob) -> list[str]:
    """Migrate, or be killed as the job says.

    Returns:
        The first word of each statement, and COMMIT for each commit.
    """
    engine = engines.create_engine(job.url, statement_timeout=None)
    statements: list[str] = []

    def count(word: str) -> None:
        if len(statements) == job.die_before:
            os.kill(os.getpid(), signal.SIGKILL)
        statements.append(word)

    @sa.event.listens_for(engine, "before_cursor_execute")
    def execute(_c: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        count(statement.split(maxsplit=1)[0])

    @sa.event.listens_for(engine, "commit")
    def commit(_connection: sa.Connection) -> None:
        count("COMMIT")

    if job.first:
        with engine.execution_options(writes=True).begin() as connection:
            migrate.upgrade(connection, FIRST)
    else:
        migrate.migrate(engine)
    count("END")
    engine.dispose()
    return statements[:-1]


def run_forked(job: MigrationJob) -> int:
    """Migrate in a child process and return its exit status."""
    child = os.fork()
    if not child:
        status = 1
        try:
            print(json.dumps(start_migration(job)), flush=True)
            status = 0
        finally:
            os._exit(status)
    if job.die_after is not None:
        time.sleep(job.die_after)
        os.kill(child, signal.SIGKILL)  # not waited for yet, so no other process has this id
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


if __name__ == "__main__":
    for line in sys.stdin:
        print(json.dumps(run_forked(msgspec.json.decode(line, type=MigrationJob))), flush=True)
