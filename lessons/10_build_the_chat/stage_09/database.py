"""The database: one SQLite file, and one thread that uses it."""

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")

SCHEMA = """
CREATE TABLE IF NOT EXISTS users (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    nickname TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    picture TEXT
);
CREATE TABLE IF NOT EXISTS sessions (
    token_hash TEXT PRIMARY KEY,
    user INTEGER NOT NULL REFERENCES users,
    expires INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS captchas (
    id TEXT PRIMARY KEY,
    form TEXT NOT NULL,
    answer TEXT NOT NULL,
    expires INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS conversations (
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    title TEXT NOT NULL,
    pair TEXT UNIQUE
);
INSERT OR IGNORE INTO conversations VALUES (1, 'group', 'Lobby', NULL);
CREATE TABLE IF NOT EXISTS pictures (
    name TEXT PRIMARY KEY,
    data BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS members (
    conv INTEGER NOT NULL REFERENCES conversations,
    user INTEGER NOT NULL REFERENCES users,
    read INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (conv, user)
);
CREATE TABLE IF NOT EXISTS events (
    conv INTEGER NOT NULL REFERENCES conversations,
    seq INTEGER NOT NULL,
    type TEXT NOT NULL,
    user INTEGER NOT NULL REFERENCES users,
    cid TEXT,
    text TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (conv, seq),
    UNIQUE (user, cid)
);
"""


class Database:
    """Run functions in transactions, one after the other, outside of the event loop."""

    def __init__(self, file: Path) -> None:
        self.executor = ThreadPoolExecutor(max_workers=1)
        # isolation_level=None: _transaction() begins each transaction itself.
        self.connection = sqlite3.connect(file, check_same_thread=False, isolation_level=None)
        self.connection.row_factory = sqlite3.Row
        self.connection.executescript(f"BEGIN IMMEDIATE; {SCHEMA} COMMIT;")

    async def run(self, work: Callable[..., T], *args: Any) -> T:
        """Return work(connection, *args). Its changes are committed, or none of them."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self.executor, self._transaction, work, args)

    def _transaction(self, work: Callable[..., T], args: tuple[Any, ...]) -> T:
        self.connection.execute("BEGIN IMMEDIATE")  # no other process writes until the commit
        with self.connection:  # commits, or rolls back after an exception
            return work(self.connection, *args)

    def close(self) -> None:
        """Finish what has been started, and close the file."""
        self.executor.shutdown()
        self.connection.close()
