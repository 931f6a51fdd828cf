"""Public and private fields of a user; condition and locks of active users."""

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from capstone_chat.storage.tables import users


@dataclass(frozen=True, slots=True)
class PublicUser:
    """The fields of a user that all users may see."""

    id: int
    nickname: str
    picture: str | None
    """The name of the picture, or None: the page then shows the initials."""

    def to_public_dict(self) -> dict[str, Any]:
        """Return the public fields for JSON."""
        return {"id": self.id, "nickname": self.nickname, "picture": self.picture}


def public_user_columns(table: sa.FromClause = users) -> list[sa.ColumnElement[Any]]:
    """Return the columns of a PublicUser, in the order of its fields."""
    return [table.c.id, table.c.nickname, table.c.picture]


@dataclass(frozen=True, slots=True)
class User(PublicUser):
    """The fields of a user that the user may see."""

    name: str
    language: str
    theme: str

    def to_private_dict(self) -> dict[str, Any]:
        """Return all fields for JSON; only the user may see them."""
        own = {"name": self.name, "language": self.language, "theme": self.theme}
        return self.to_public_dict() | own


USER_COLUMNS = (*public_user_columns(), users.c.name, users.c.language, users.c.theme)
"""The columns of a User, in the order of its fields."""

IS_ACTIVE = users.c.disabled_at.is_(None) & users.c.deleted_at.is_(None)
"""Condition of users who can log in."""


def lock_active_users(connection: sa.Connection, *user_ids: int, change: bool = False) -> set[int]:
    """Lock the rows of users until the commit; return the ids of active users among them.

    Until then no other process deletes or disables these accounts. SQLite has a single writer and
    needs no lock. Rows are locked in the order of their ids, after those of conversations and
    before those of sessions, so that two processes do not wait for each other.

    Args:
        connection: the connection with the transaction.
        user_ids: the users to lock.
        change: True if the transaction changes the rows, or must exclude transactions that have
            locked them with `change=False`.
    """
    query = sa.select(users.c.id).where(users.c.id.in_(user_ids), IS_ACTIVE).order_by(users.c.id)
    return set(connection.scalars(query.with_for_update(read=not change, key_share=change)))
