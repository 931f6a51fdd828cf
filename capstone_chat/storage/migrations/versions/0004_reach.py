"""User names that look alike, and invitations to groups."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

from capstone_chat.storage.migrations import steps
from capstone_chat.text import names

revision = "0004"
down_revision = "0003"

ROWS = 1000


def exact(length: int) -> sa.types.TypeEngine[str]:
    variant = mysql.VARCHAR(length, charset="utf8mb4", collation="utf8mb4_bin")
    return sa.String(length).with_variant(variant, "mysql", "mariadb")


def upgrade() -> None:
    add_skeletons()
    add_invitations()
    add_departures()


def add_skeletons() -> None:
    steps.add_column("users", sa.Column("name_skeleton", exact(255)))
    fill_skeletons(op.get_bind())
    steps.create_index("users_name_skeleton", "users", ["name_skeleton"], unique=True)


def fill_skeletons(connection: sa.Connection) -> None:
    """Give each user the skeleton of the name, but for those whose name looks like an older one."""
    names_of = ("id", "name", "deleted_at", "name_skeleton")
    users = sa.table("users", *(sa.column(name) for name in names_of))
    query = sa.select(users.c.id, users.c.name).where(users.c.deleted_at.is_(None))
    change = (
        users.update()
        .where(users.c.id == sa.bindparam("user"))
        .values(name_skeleton=sa.bindparam("skeleton"))
    )
    seen: set[str] = set()
    last = -1
    while True:
        rows = connection.execute(
            query.where(users.c.id > last).order_by(users.c.id).limit(ROWS)
        ).all()
        if not rows:
            return
        fresh = []
        for id_, name in rows:
            skeleton = names.skeleton(name)
            if skeleton not in seen:
                seen.add(skeleton)
                fresh.append({"user": id_, "skeleton": skeleton})
        if fresh:
            connection.execute(change, fresh)
        last = rows[-1].id


def add_invitations() -> None:
    id_ = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    steps.create_table(
        "invitations",
        sa.Column("conversation_id", id_, sa.ForeignKey("conversations.id"), primary_key=True),
        sa.Column("user_id", id_, sa.ForeignKey("users.id"), primary_key=True, index=True),
        sa.Column("invited_by", id_, sa.ForeignKey("users.id"), nullable=False, index=True),
        sa.Column("at", sa.BigInteger, nullable=False),
    )


def add_departures() -> None:
    id_ = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    steps.create_table(
        "departures",
        sa.Column("conversation_id", id_, sa.ForeignKey("conversations.id"), primary_key=True),
        sa.Column("user_id", id_, sa.ForeignKey("users.id"), primary_key=True, index=True),
    )
    fill_departures(op.get_bind())


def fill_departures(connection: sa.Connection) -> None:
    """Note who has left a group or was removed from it, as its events tell."""
    connection.execute(
        sa.text(
            "INSERT INTO departures (conversation_id, user_id)"
            " SELECT DISTINCT e.conversation_id, COALESCE(e.subject_id, e.user_id)"
            " FROM events e JOIN users u ON u.id = COALESCE(e.subject_id, e.user_id)"
            " WHERE e.type = 'member' AND e.text IN ('left', 'removed') AND u.deleted_at IS NULL"
            " AND NOT EXISTS (SELECT 1 FROM members m WHERE m.conversation_id = e.conversation_id"
            " AND m.user_id = u.id)"
            " AND NOT EXISTS (SELECT 1 FROM departures d"
            " WHERE d.conversation_id = e.conversation_id AND d.user_id = u.id)"
        )
    )
