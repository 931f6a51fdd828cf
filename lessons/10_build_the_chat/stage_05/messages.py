"""Messages. The functions run in the thread of the database."""

import sqlite3
import time
from typing import Any

from conversations import member_ids, require_member

PAGE = 100  # messages of one answer

SELECT = """
SELECT events.id, conv, text, at, users.id AS user, nickname
FROM events JOIN users ON users.id = events.user
"""


def post(
    connection: sqlite3.Connection, user: int, conv: int, text: str
) -> tuple[dict[str, Any], list[int]]:
    """Store a message; return its event and the ids of the members, who receive it."""
    require_member(connection, user, conv)
    row = (conv, user, text, int(time.time() * 1000))  # milliseconds since 1970
    sql = "INSERT INTO events (conv, user, text, at) VALUES (?, ?, ?, ?)"
    cursor = connection.execute(sql, row)
    found = connection.execute(f"{SELECT} WHERE events.id = ?", (cursor.lastrowid,))
    return to_event(found.fetchone()), member_ids(connection, conv)


def load_history(connection: sqlite3.Connection, user: int, conv: int) -> list[dict[str, Any]]:
    """Return the newest messages of a conversation, the oldest of them first."""
    require_member(connection, user, conv)
    sql = f"{SELECT} WHERE conv = ? ORDER BY events.id DESC LIMIT ?"
    return [to_event(row) for row in connection.execute(sql, (conv, PAGE))][::-1]


def to_event(row: sqlite3.Row) -> dict[str, Any]:
    """Return a row as the event that clients receive."""
    user = {"id": row["user"], "nickname": row["nickname"]}
    event = {"type": "message", "conv": row["conv"], "from": user}
    return event | {"text": row["text"], "at": row["at"]}
