"""What people see of each other."""

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from capstone_chat.schema import users


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody, as others see them."""

    id: int
    nickname: str
    picture: str | None
    """The name of the picture, or None: the page then draws the initials."""

    def public(self) -> dict[str, Any]:
        """Return what everybody may know, for JSON."""
        return {"id": self.id, "nickname": self.nickname, "picture": self.picture}


def columns(table: sa.FromClause = users) -> list[sa.ColumnElement[Any]]:
    """Return the columns that make a Person."""
    return [table.c.id, table.c.nickname, table.c.picture]
