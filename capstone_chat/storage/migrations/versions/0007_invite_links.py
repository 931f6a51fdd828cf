"""Invite links of groups, and which former members were removed: a link does not let them in."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

from capstone_chat.storage.migrations import steps

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    id_ = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    nonce = mysql.VARCHAR(32, charset="utf8mb4", collation="utf8mb4_bin")
    steps.create_table(
        "invite_links",
        sa.Column("conversation_id", id_, sa.ForeignKey("conversations.id"), primary_key=True),
        sa.Column("nonce", sa.String(32).with_variant(nonce, "mysql", "mariadb"), nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False, index=True),
    )
    steps.add_column(
        "departures",
        sa.Column("removed", sa.Boolean, nullable=False, server_default=sa.false()),
    )
    mark_removed_members(op.get_bind())


def mark_removed_members(connection: sa.Connection) -> None:
    """Note who was removed by the owner and did not come back, as the events tell."""
    departures = sa.table("departures", *map(sa.column, ("conversation_id", "user_id", "removed")))
    names = ("conversation_id", "seq", "type", "user_id", "subject_id", "text")
    events = sa.table("events", *map(sa.column, names))
    own = (events.c.conversation_id == departures.c.conversation_id) & (events.c.type == "member")
    last_seq = sa.select(sa.func.coalesce(sa.func.max(events.c.seq), 0)).where(own)
    removed = last_seq.where(
        events.c.text == "removed", events.c.subject_id == departures.c.user_id
    )
    left = last_seq.where(events.c.text == "left", events.c.user_id == departures.c.user_id)
    was_removed = removed.scalar_subquery() > left.scalar_subquery()
    connection.execute(departures.update().where(was_removed).values(removed=sa.true()))
