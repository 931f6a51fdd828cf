"""People: contacts, private chats, pictures, deletions, search, and logins that failed."""

import unicodedata

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

from capstone_chat.storage.migrations.steps import add_column, create_index, create_table

revision = "0002"
down_revision = "0001"

ROWS = 1000


def exact(length: int) -> sa.types.TypeEngine[str]:
    variant = mysql.VARCHAR(length, charset="utf8mb4", collation="utf8mb4_bin")
    return sa.String(length).with_variant(variant, "mysql", "mariadb")


def upgrade() -> None:
    id_ = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    text = sa.Text().with_variant(mysql.TEXT(charset="utf8mb4"), "mysql", "mariadb")
    create_table(
        "pictures",
        sa.Column("name", exact(32), primary_key=True),
        sa.Column("user_id", id_, sa.ForeignKey("users.id"), nullable=False, index=True),
        sa.Column("webp", sa.LargeBinary(262_144), nullable=False),
    )
    create_table(
        "failures",
        sa.Column("key", exact(160), primary_key=True),
        sa.Column("failed", sa.Integer, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False, index=True),
    )
    create_table(
        "contacts",
        sa.Column("user_id", id_, sa.ForeignKey("users.id"), primary_key=True),
        sa.Column("other_id", id_, sa.ForeignKey("users.id"), primary_key=True, index=True),
        sa.Column("blocked", sa.Boolean, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
    )
    add_column("users", sa.Column("picture", exact(32)))
    add_column(
        "users", sa.Column("language", sa.String(8), nullable=False, server_default=sa.text("''"))
    )
    add_column(
        "users", sa.Column("theme", sa.String(8), nullable=False, server_default=sa.text("''"))
    )
    add_column("users", sa.Column("disabled_at", sa.BigInteger))
    add_column("users", sa.Column("deleted_at", sa.BigInteger))
    add_column("conversations", sa.Column("pair", exact(40)))
    create_index("conversations_pair", "conversations", ["pair"], unique=True)
    add_column("events", sa.Column("folded", text))
    add_column("events", sa.Column("target", sa.BigInteger))
    add_column("events", sa.Column("subject_id", id_))
    fold_all(op.get_bind())


def fold_all(connection: sa.Connection) -> None:
    """Make the messages that are there findable, some at a time."""
    events = sa.table(
        "events",
        *(sa.column(name) for name in ("conversation_id", "seq", "type", "text", "folded")),
    )
    place = sa.tuple_(events.c.conversation_id, events.c.seq)
    query = sa.select(events.c.conversation_id, events.c.seq, events.c.text).where(
        events.c.type == "message", events.c.text.is_not(None)
    )
    change = (
        events.update()
        .where(events.c.conversation_id == sa.bindparam("c"), events.c.seq == sa.bindparam("s"))
        .values(folded=sa.bindparam("f"))
    )
    last = (-1, -1)
    while True:
        page = query.where(place > sa.tuple_(*last)).order_by(*place.clauses).limit(ROWS)
        rows = connection.execute(page).all()
        if not rows:
            return
        folded = [{"c": c, "s": s, "f": fold(text)} for c, s, text in rows]
        connection.execute(change, folded)
        last = rows[-1][:2]


def fold(text: str) -> str:
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
