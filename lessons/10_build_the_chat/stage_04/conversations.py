"""Conversations and their members. The functions run in the thread of the database."""

import sqlite3

from errors import not_found


def require_member(connection: sqlite3.Connection, user: int, conv: int) -> None:
    """Raise ChatError unless the user is a member of the conversation."""
    if user not in member_ids(connection, conv):
        raise not_found()


def member_ids(connection: sqlite3.Connection, conv: int) -> list[int]:
    """Return the ids of the members of a conversation."""
    rows = connection.execute("SELECT user FROM members WHERE conv = ?", (conv,))
    return [row["user"] for row in rows]
