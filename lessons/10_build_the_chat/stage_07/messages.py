"""The log of each conversation. The functions run in the thread of the database."""

import sqlite3
import time
from typing import Any

from conversations import member_ids, require_member
from errors import ChatError

PAGE = 100  # events of one answer

SELECT = """
SELECT conv, seq, type, cid, text, at, users.id AS user, nickname, picture
FROM events JOIN users ON users.id = events.user
"""


def append(
    connection: sqlite3.Connection, conv: int, user: int, type_: str, text: str, cid: str | None
) -> dict[str, Any]:
    """Store an event under the next seq of its conversation, and return it.

    No other event gets this seq: the transaction has locked the database since it began, and the
    primary key is (conv, seq).
    """
    at = int(time.time() * 1000)  # milliseconds since 1970
    (seq,) = connection.execute(
        "INSERT INTO events (conv, seq, type, user, cid, text, at)"
        " SELECT ?1, coalesce(max(seq), 0) + 1, ?2, ?3, ?4, ?5, ?6 FROM events WHERE conv = ?1"
        " RETURNING seq",
        (conv, type_, user, cid, text, at),
    ).fetchone()
    found = connection.execute(f"{SELECT} WHERE conv = ? AND seq = ?", (conv, seq))
    return to_event(found.fetchone())


def post(
    connection: sqlite3.Connection, user: int, conv: int, cid: str, text: str
) -> tuple[dict[str, Any], list[int]]:
    """Store a message; return its event and the ids of the members who must receive it.

    A message that has been stored before is found by its cid, and is not published again.
    """
    require_member(connection, user, conv)
    found = connection.execute(f"{SELECT} WHERE events.user = ? AND cid = ?", (user, cid))
    if stored := found.fetchone():
        if (stored["conv"], stored["text"]) != (conv, text):
            raise ChatError(409, "conflict", "This cid was used for another message.")
        return to_event(stored), []
    return append(connection, conv, user, "message", text, cid), member_ids(connection, conv)


def load_history(
    connection: sqlite3.Connection, user: int, conv: int, before: int
) -> list[dict[str, Any]]:
    """Return the newest events of a conversation with a seq below `before`, in order."""
    require_member(connection, user, conv)
    sql = f"{SELECT} WHERE conv = ? AND seq < ? ORDER BY seq DESC LIMIT ?"
    return [to_event(row) for row in connection.execute(sql, (conv, before, PAGE))][::-1]


def to_event(row: sqlite3.Row) -> dict[str, Any]:
    """Return a row as the event that clients receive."""
    user = {"id": row["user"], "nickname": row["nickname"], "picture": row["picture"]}
    event = {key: row[key] for key in ("type", "conv", "seq", "at")} | {"from": user}
    if row["type"] == "member":
        return event | {"change": row["text"], "user": user}
    return event | {"text": row["text"]}
