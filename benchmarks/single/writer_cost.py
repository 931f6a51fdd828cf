"""Measure the CPU time of the chat's writer for a message, beside plain SQLite with the same work.

    python -m benchmarks.single.writer_cost
    python -m benchmarks.single.writer_cost --database=postgresql://...

The same work is: begin, look the membership up, take the next seq, insert the row, commit with
`synchronous=FULL`. *Plain* does it with the module sqlite3 in a loop, on the same tables. The
writer of the chat runs as in a server, in a thread of its own that waits for each batch. The two
alternate. With a database server only the chat's share is shown.
"""

import argparse
import asyncio
import itertools
import sqlite3
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from unittest import mock

from benchmarks.serve import seed_database
from capstone_chat.app import make_app
from capstone_chat.conversations.event_log import Event
from capstone_chat.conversations.users import PublicUser
from capstone_chat.options import Options
from capstone_chat.realtime.protocol import Send
from capstone_chat.services import Services
from capstone_chat.storage import group_commit
from capstone_chat.storage.database import now_ms

SENDERS = range(1, 11)
"""The ids of the members of the only conversation, who write in turn."""

TEXT = "As long as people write: some words, and then a few more of them. " * 3
BATCHES = (1, 16, 256)
"""Numbers of messages in a commit."""
MESSAGES = 512
"""Approximate number of messages in one round of one batch size."""


class Writer:
    """The chat's writer, with the CPU time of its thread."""

    def __init__(self, chat: Services) -> None:
        self._chat = chat
        self._users = [PublicUser(number, f"User {number}", None) for number in SENDERS]
        self.cpu = 0.0

    def commit(self, *arguments: object) -> list[object]:
        """Commit a batch in the writer's thread, and add the CPU time to `cpu`."""
        begin = time.thread_time()
        try:
            return COMMIT(*arguments)
        finally:
            self.cpu += time.thread_time() - begin

    async def write(self, count: int) -> None:
        """Post messages in one turn of the event loop, and wait for their commit."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        results: list[Event | Exception] = []

        def on_stored(result: Event | Exception) -> None:
            results.append(result)
            if len(results) == count:
                done.set_result(None)

        for user in itertools.islice(itertools.cycle(self._users), count):
            self._chat.messages.post(user, Send(str(uuid.uuid4()), 1, TEXT), on_stored)
        await done
        for result in results:
            assert isinstance(result, Event), result


COMMIT: Callable[..., list[object]] = group_commit.commit


def write_plain(connection: sqlite3.Connection, count: int) -> None:
    """Store messages in one transaction with plain SQLite."""
    connection.execute("BEGIN IMMEDIATE")
    for user in itertools.islice(itertools.cycle(SENDERS), count):
        connection.execute(
            "SELECT kind FROM members JOIN conversations ON id = conversation_id"
            " WHERE conversation_id = ? AND user_id = ?",
            (1, user),
        ).fetchone()
        (seq,) = connection.execute(
            "UPDATE conversations SET head = head + 1 WHERE id = ? RETURNING head", (1,)
        ).fetchone()
        connection.execute(
            "INSERT INTO events (conversation_id, seq, type, user_id, cid, text, folded, at)"
            " VALUES (?, ?, 'message', ?, ?, ?, ?, ?)",
            (1, seq, user, str(uuid.uuid4()), TEXT, TEXT, now_ms()),
        )
    connection.execute("COMMIT")


async def measure(options: Options, rounds: int) -> None:
    """Print a row for each batch size."""
    seed_database(options, 1, len(SENDERS))
    chat: Services = make_app(options).settings["chat"]
    await chat.open()
    writer = Writer(chat)
    plain = None
    if chat.database.engine.dialect.name == "sqlite":
        file = Path(options.data) / "plain"
        file.mkdir()
        seed_database(Options(data=str(file)), 1, len(SENDERS))
        plain = sqlite3.connect(next(file.glob("*.db")), isolation_level=None)
        for setting in (
            "synchronous = FULL",
            "cache_size = -16384",
            "wal_autocheckpoint = 4000",
            "foreign_keys = ON",
        ):
            plain.execute(f"PRAGMA {setting}")
    print(f"{'in a commit':>12} {'chat us':>9} {'plain us':>9} {'ratio':>6}")
    with mock.patch.object(group_commit, "commit", writer.commit):
        for count in BATCHES:
            ours, theirs = [], []
            for _ in range(rounds):
                commits = max(2, MESSAGES // count)
                writer.cpu = 0.0
                for _ in range(commits):
                    await writer.write(count)
                ours.append(writer.cpu / commits / count * 1e6)
                if plain:
                    begin = time.thread_time()
                    for _ in range(commits):
                        write_plain(plain, count)
                    theirs.append((time.thread_time() - begin) / commits / count * 1e6)
            row = f"{count:12} {statistics.median(ours):9.1f}"
            if plain:
                ratio = statistics.median(a / b for a, b in zip(ours, theirs, strict=True))
                row += f" {statistics.median(theirs):9.1f} {ratio:6.2f}"
            print(row)
    if plain:
        plain.close()
    await chat.close()


def main() -> int:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--database", default="", help="SQLAlchemy URL of an empty database")
    parser.add_argument("--rounds", type=int, default=9, help="of each batch size (default 9)")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(measure(Options(data=folder, database=given.database), given.rounds))
    return 0


if __name__ == "__main__":
    sys.exit(main())
