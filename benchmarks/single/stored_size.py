"""Measure how many bytes a stored message takes, with its indexes, on each database.

    python -m benchmarks.single.stored_size

A group gets messages of 80 characters, once few and once many; the difference in size is divided by
the difference in number. The servers are started for this and stopped again.
"""

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

import sqlalchemy as sa

from benchmarks.serve import seed_database
from capstone_chat.options import Options
from fault_injection.harness.context import Context, MissingProgramError
from fault_injection.harness.servers import DatabaseServer, MariaDB, PostgreSQL

FEW, MANY = 20_000, 120_000
"""Numbers of messages. With fewer, the pages that a database reserves in advance would count."""

SIZES = {
    "mysql": "SELECT SUM(data_length + index_length) FROM information_schema.tables"
    " WHERE table_schema = 'chat' AND table_name = 'events'",
    "postgresql": "SELECT pg_total_relation_size('events')",
}
"""The statement for the bytes of the events, with their indexes, by the name of the dialect."""


def measure_sqlite(messages: int) -> int:
    """Return the bytes of an SQLite file with so many messages."""
    with tempfile.TemporaryDirectory() as folder:
        seed_database(Options(data=folder), 1, 10, messages)
        return sum(file.stat().st_size for file in Path(folder).glob("*.db"))


async def measure_server(server: DatabaseServer, messages: int) -> int:
    """Return the bytes of the events of a new server with so many messages."""
    await server.start()
    with tempfile.TemporaryDirectory() as folder:
        options = Options(data=folder, database=server.url)
        await asyncio.to_thread(seed_database, options, 1, 10, messages)
    engine = sa.create_engine(server.url)
    with engine.connect() as connection:
        if engine.dialect.name == "mysql":  # the sizes are those of the last statistics
            connection.execute(sa.text("ANALYZE TABLE events"))
        size = connection.scalar(sa.text(SIZES[engine.dialect.name]))
    engine.dispose()
    return int(size)


async def measure(kind: type[MariaDB] | type[PostgreSQL], messages: int) -> int:
    """Start a server, measure, and stop it."""
    with tempfile.TemporaryDirectory() as shared:
        context = Context(kind.__name__, 0, False, Path(shared), progress=lambda text: None)
        async with context.stack:
            return await measure_server(kind(context), messages)


def main() -> int:
    """Measure and print a line for each database."""
    argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0]).parse_args()
    sqlite = measure_sqlite(MANY) - measure_sqlite(FEW)
    print(f"SQLite: {sqlite / (MANY - FEW):.0f} bytes a message")
    for kind in MariaDB, PostgreSQL:
        try:
            size = asyncio.run(measure(kind, MANY)) - asyncio.run(measure(kind, FEW))
            print(f"{kind.__name__}: {size / (MANY - FEW):.0f} bytes a message")
        except MissingProgramError as error:
            print(f"{kind.__name__}: not measured, {error}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
