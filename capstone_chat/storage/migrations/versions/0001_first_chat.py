"""The first chat: users, sessions, captchas, groups and their events.

A migration is history: it keeps its own copy of the types and is never edited once it has run.
Each step can be repeated, see `steps`.
"""

import sqlalchemy as sa
from sqlalchemy.dialects import mysql

from capstone_chat.storage.migrations.steps import create_table

revision = "0001"
down_revision = None


def exact(length: int) -> sa.types.TypeEngine[str]:
    variant = mysql.VARCHAR(length, charset="utf8mb4", collation="utf8mb4_bin")
    return sa.String(length).with_variant(variant, "mysql", "mariadb")


def upgrade() -> None:
    id_ = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    create_table(
        "users",
        sa.Column("id", id_, primary_key=True),
        sa.Column("name", exact(64), nullable=False),
        sa.Column("name_key", exact(128), nullable=False, unique=True),
        sa.Column("nickname", exact(64), nullable=False),
        sa.Column("password", sa.String(255), nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
    )
    create_table(
        "sessions",
        sa.Column("id", id_, primary_key=True),
        sa.Column("token_hash", exact(64), nullable=False, unique=True),
        sa.Column("user_id", id_, sa.ForeignKey("users.id"), nullable=False, index=True),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("seen_at", sa.BigInteger, nullable=False),
        sa.Column("agent", sa.String(200), nullable=False),
    )
    create_table(
        "captchas",
        sa.Column("id", exact(32), primary_key=True),
        sa.Column("form", sa.String(16), nullable=False),
        sa.Column("browser", exact(64), nullable=False),
        sa.Column("answer", sa.String(16), nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False, index=True),
    )
    create_table(
        "conversations",
        sa.Column("id", id_, primary_key=True),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("title", exact(80), nullable=False),
        sa.Column("title_key", exact(160), nullable=False, index=True),
        sa.Column("description", exact(300), nullable=False),
        sa.Column("public", sa.Boolean, nullable=False),
        sa.Column("head", sa.BigInteger, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
    )
    create_table(
        "members",
        sa.Column("conversation_id", id_, sa.ForeignKey("conversations.id"), primary_key=True),
        sa.Column("user_id", id_, sa.ForeignKey("users.id"), primary_key=True, index=True),
        sa.Column("role", sa.String(8), nullable=False),
        sa.Column("joined_at", sa.BigInteger, nullable=False),
        sa.Column("read_seq", sa.BigInteger, nullable=False),
    )
    create_table(
        "events",
        sa.Column("conversation_id", id_, sa.ForeignKey("conversations.id"), primary_key=True),
        sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("type", sa.String(16), nullable=False),
        sa.Column("user_id", id_, sa.ForeignKey("users.id"), nullable=False),
        sa.Column("cid", exact(36)),
        sa.Column(
            "text", sa.Text().with_variant(mysql.TEXT(charset="utf8mb4"), "mysql", "mariadb")
        ),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.UniqueConstraint("cid", "user_id", name="events_user_cid"),
        sqlite_with_rowid=False,
    )
