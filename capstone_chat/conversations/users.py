"""The public fields of a user, and the condition that an account is in use."""

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from capstone_chat.storage.tables import users


@dataclass(frozen=True, slots=True)
class PublicUser:
    """Somebody, as others see them."""

    id: int
    nickname: str
    picture: str | None
    """The name of the picture, or None: the page then draws the initials."""

    def to_public_dict(self) -> dict[str, Any]:
        """Return what everybody may know, for JSON."""
        return {"id": self.id, "nickname": self.nickname, "picture": self.picture}


def public_user_columns(table: sa.FromClause = users) -> list[sa.ColumnElement[Any]]:
    """Return the columns that make a PublicUser."""
    return [table.c.id, table.c.nickname, table.c.picture]


@dataclass(frozen=True, slots=True)
class User(PublicUser):
    """The user who is logged in, as handlers and pages see them."""

    name: str
    language: str
    theme: str

    def to_private_dict(self) -> dict[str, Any]:
        """Return what the user may know of the own account, for JSON."""
        own = {"name": self.name, "language": self.language, "theme": self.theme}
        return self.to_public_dict() | own


USER_COLUMNS = (*public_user_columns(), users.c.name, users.c.language, users.c.theme)
"""The columns that make a User."""

IS_ACTIVE = users.c.disabled_at.is_(None) & users.c.deleted_at.is_(None)
"""Condition of users who can log in."""


def lock_active_users(connection: sa.Connection, *user_ids: int, change: bool = False) -> set[int]:
    """Lock the rows of users until the commit; return the ids of those whose account is in use.

    Until then no other process deletes or disables these accounts. SQLite has a single writer and
    needs no lock. Rows are locked in the order of their ids, after those of conversations and
    before those of sessions, so that two processes do not wait for each other.

    Args:
        change: the transaction changes the rows, or excludes others that have locked them without
            `change`.
    """
    query = sa.select(users.c.id).where(users.c.id.in_(user_ids), IS_ACTIVE).order_by(users.c.id)
    return set(connection.scalars(query.with_for_update(read=not change, key_share=change)))
