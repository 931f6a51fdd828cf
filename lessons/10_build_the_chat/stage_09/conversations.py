"""Conversations and their members. The functions run in the thread of the database."""

import sqlite3
from typing import Any

from errors import ChatError, not_found

MAX_TITLE = 60  # characters

SUMMARY = """
SELECT conversations.id, kind, title, text, at, users.nickname,
    (SELECT coalesce(max(seq), 0) FROM events WHERE conv = members.conv) AS head, members.read,
    (SELECT count(*) FROM events WHERE conv = members.conv AND seq > members.read
        AND type = 'message' AND user != members.user) AS unread,
    peers.id AS peer, peers.nickname AS peer_nickname, peers.picture AS peer_picture
FROM members
JOIN conversations ON conversations.id = members.conv
LEFT JOIN events ON events.conv = members.conv AND seq = (
    SELECT max(seq) FROM events WHERE conv = members.conv AND type = 'message')
LEFT JOIN users ON users.id = events.user
LEFT JOIN members AS other
    ON kind = 'private' AND other.conv = members.conv AND other.user != members.user
LEFT JOIN users AS peers ON peers.id = other.user
WHERE members.user = ?
"""


def list_conversations(connection: sqlite3.Connection, user: int) -> list[dict[str, Any]]:
    """Return the summaries of all conversations of a user."""
    return [to_summary(row) for row in connection.execute(SUMMARY, (user,))]


def load_heads(connection: sqlite3.Connection, user: int) -> dict[int, int]:
    """Return the newest seq of each conversation of a user."""
    return {each["id"]: each["head"] for each in list_conversations(connection, user)}


def mark_read(connection: sqlite3.Connection, user: int, conv: int, seq: int) -> int:
    """Move the read mark of a member forward, at most to the head; return where it is."""
    require_member(connection, user, conv)
    connection.execute(
        "UPDATE members SET read = max(read, min(?1, (SELECT coalesce(max(seq), 0) FROM events"
        " WHERE conv = ?2))) WHERE conv = ?2 AND user = ?3",
        (seq, conv, user),
    )
    sql = "SELECT read FROM members WHERE conv = ? AND user = ?"
    mark: int = connection.execute(sql, (conv, user)).fetchone()["read"]
    return mark


def other_members(connection: sqlite3.Connection, user: int, conv: int) -> list[int]:
    """Return the other members of a conversation; raises ChatError unless the user is one."""
    require_member(connection, user, conv)
    return [member for member in member_ids(connection, conv) if member != user]


def find_conversation(connection: sqlite3.Connection, user: int, conv: int) -> dict[str, Any]:
    """Return the summary of a conversation; raises ChatError if the user is not a member."""
    row = connection.execute(f"{SUMMARY} AND members.conv = ?", (user, conv)).fetchone()
    if not row:
        raise not_found()
    return to_summary(row)


def to_summary(row: sqlite3.Row) -> dict[str, Any]:
    """Return a row of SUMMARY as clients receive it."""
    newest = row["at"] and {"nickname": row["nickname"], "text": row["text"], "at": row["at"]}
    summary = {key: row[key] for key in ("id", "kind", "title", "head", "read", "unread")}
    summary["newest"] = newest
    if row["peer"]:
        summary["title"] = row["peer_nickname"]
        peer = (row["peer"], row["peer_nickname"], row["peer_picture"])
        summary["peer"] = dict(zip(("id", "nickname", "picture"), peer, strict=True))
    return summary


def require_member(connection: sqlite3.Connection, user: int, conv: int) -> None:
    """Raise ChatError unless the user is a member of the conversation."""
    if user not in member_ids(connection, conv):
        raise not_found()


def member_ids(connection: sqlite3.Connection, conv: int) -> list[int]:
    """Return the ids of the members of a conversation."""
    rows = connection.execute("SELECT user FROM members WHERE conv = ?", (conv,))
    return [row["user"] for row in rows]


def list_groups(connection: sqlite3.Connection, user: int) -> list[dict[str, Any]]:
    """Return all groups, with the number of members and whether the user is one of them."""
    rows = connection.execute(
        "SELECT id, title, count(*) AS members, max(user = ?) AS joined"
        " FROM conversations JOIN members ON conv = id WHERE kind = 'group'"
        " GROUP BY id ORDER BY title",
        (user,),
    )
    return [dict(row) | {"joined": bool(row["joined"])} for row in rows]


def create_group(connection: sqlite3.Connection, user: int, title: str) -> dict[str, Any]:
    """Store a group with one member, and return its summary."""
    title = title.strip()
    if not (0 < len(title) <= MAX_TITLE and title.isprintable()):
        raise ChatError(400, "title_invalid", f"A title has 1 to {MAX_TITLE} visible characters.")
    sql = "INSERT INTO conversations (kind, title) VALUES ('group', ?)"
    conv = connection.execute(sql, (title,)).lastrowid or 0
    connection.execute("INSERT INTO members (conv, user) VALUES (?, ?)", (conv, user))
    return find_conversation(connection, user, conv)


def join_group(connection: sqlite3.Connection, user: int, conv: int) -> bool:
    """Make a user a member of a group; return False if the user was one before."""
    sql = "SELECT 1 FROM conversations WHERE id = ? AND kind = 'group'"
    if not connection.execute(sql, (conv,)).fetchone():
        raise not_found()
    sql = "INSERT OR IGNORE INTO members (conv, user) VALUES (?, ?)"
    return connection.execute(sql, (conv, user)).rowcount == 1
