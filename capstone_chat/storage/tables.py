"""The tables of the database.

Times are milliseconds since 1970, as whole numbers: every database keeps them alike.
"""

import sqlalchemy as sa

metadata = sa.MetaData()

Id = sa.BigInteger().with_variant(sa.Integer, "sqlite")
"""Only an INTEGER key counts up by itself in SQLite."""


EXACT = "utf8mb4_bin"
"""The collation of MySQL and MariaDB in which only equal bytes are equal. The type of their dialect
would take a charset as well, but to import it takes a seventh of a start on SQLite."""


def exact_string(length: int) -> sa.types.TypeEngine[str]:
    """Return a column type that compares every byte: MariaDB takes "Zoe" and "Zoë" for equal."""
    return sa.String(length).with_variant(sa.String(length, collation=EXACT), "mysql", "mariadb")


Text = sa.Text().with_variant(sa.Text(2**22 - 1, collation=EXACT), "mysql", "mariadb")
"""Of as many characters as fit a MEDIUMTEXT; a TEXT of MariaDB ends at 64 KiB."""


users = sa.Table(
    "users",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("name", exact_string(64), nullable=False),
    sa.Column("name_key", exact_string(128), nullable=False, unique=True),
    sa.Column("nickname", exact_string(64), nullable=False),
    sa.Column("password", sa.String(255), nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("picture", exact_string(32)),
    sa.Column("language", sa.String(8), nullable=False, server_default=sa.text("''")),
    sa.Column("theme", sa.String(8), nullable=False, server_default=sa.text("''")),
    sa.Column("disabled_at", sa.BigInteger),
    sa.Column("deleted_at", sa.BigInteger),
    sa.Column("name_skeleton", exact_string(255)),
)
"""`language` and `theme` are empty when the browser is to choose; `picture` names a row of
pictures."""

sa.Index("users_name_skeleton", users.c.name_skeleton, unique=True)
"""User names that look alike have one skeleton (see `names.skeleton`). It is null for users who had
such a name before this was checked, and for deleted users."""

pictures = sa.Table(
    "pictures",
    metadata,
    sa.Column("name", exact_string(32), primary_key=True),
    sa.Column("user_id", Id, sa.ForeignKey("users.id"), nullable=False, index=True),
    sa.Column("webp", sa.LargeBinary(262_144), nullable=False),
)

login_failures = sa.Table(
    "failures",
    metadata,
    sa.Column("key", exact_string(160), primary_key=True),
    sa.Column("failed", sa.Integer, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False, index=True),
)
"""Logins that failed in a row, by account and by address."""

sessions = sa.Table(
    "sessions",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("token_hash", exact_string(64), nullable=False, unique=True),
    sa.Column("user_id", Id, sa.ForeignKey("users.id"), nullable=False, index=True),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("seen_at", sa.BigInteger, nullable=False),
    sa.Column("agent", exact_string(200), nullable=False),
)

captchas = sa.Table(
    "captchas",
    metadata,
    sa.Column("id", exact_string(32), primary_key=True),
    sa.Column("form", sa.String(16), nullable=False),
    sa.Column("browser", exact_string(64), nullable=False),
    sa.Column("answer", sa.String(16), nullable=False),
    sa.Column("expires_at", sa.BigInteger, nullable=False, index=True),
)

contacts = sa.Table(
    "contacts",
    metadata,
    sa.Column("user_id", Id, sa.ForeignKey("users.id"), primary_key=True),
    sa.Column("other_id", Id, sa.ForeignKey("users.id"), primary_key=True, index=True),
    sa.Column("blocked", sa.Boolean, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
)
"""Whom a user has in the contact list, and whom a user has blocked."""

conversations = sa.Table(
    "conversations",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("kind", sa.String(8), nullable=False),
    sa.Column("title", exact_string(80), nullable=False),
    sa.Column("title_key", exact_string(160), nullable=False, index=True),
    sa.Column("description", exact_string(300), nullable=False),
    sa.Column("public", sa.Boolean, nullable=False),
    sa.Column("pair", exact_string(40)),
    sa.Column("head", sa.BigInteger, nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),
)

sa.Index("conversations_pair", conversations.c.pair, unique=True)
"""There is one private chat of two people: their ids in order, with a dash. It is null when one of
the two has deleted the account; nobody writes there any more."""

members = sa.Table(
    "members",
    metadata,
    sa.Column("conversation_id", Id, sa.ForeignKey("conversations.id"), primary_key=True),
    sa.Column("user_id", Id, sa.ForeignKey("users.id"), primary_key=True, index=True),
    sa.Column("role", sa.String(8), nullable=False),
    sa.Column("joined_at", sa.BigInteger, nullable=False),
    sa.Column("read_seq", sa.BigInteger, nullable=False),
)

invitations = sa.Table(
    "invitations",
    metadata,
    sa.Column("conversation_id", Id, sa.ForeignKey("conversations.id"), primary_key=True),
    sa.Column("user_id", Id, sa.ForeignKey("users.id"), primary_key=True, index=True),
    sa.Column("invited_by", Id, sa.ForeignKey("users.id"), nullable=False, index=True),
    sa.Column("at", sa.BigInteger, nullable=False),
)
"""Users who may become members of a group, until they accept or decline."""

departures = sa.Table(
    "departures",
    metadata,
    sa.Column("conversation_id", Id, sa.ForeignKey("conversations.id"), primary_key=True),
    sa.Column("user_id", Id, sa.ForeignKey("users.id"), primary_key=True, index=True),
)
"""Former members of a group, who left it or were removed: nobody adds them again, only invites."""

events = sa.Table(
    "events",
    metadata,
    sa.Column("conversation_id", Id, sa.ForeignKey("conversations.id"), primary_key=True),
    sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("type", sa.String(16), nullable=False),
    sa.Column("user_id", Id, sa.ForeignKey("users.id"), nullable=False),
    sa.Column("cid", exact_string(36)),
    sa.Column("text", Text),
    sa.Column("folded", Text),
    sa.Column("target", sa.BigInteger),
    sa.Column("subject_id", Id),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.UniqueConstraint("cid", "user_id", name="events_user_cid"),
    sqlite_with_rowid=False,  # the rows lie in the order in which history is read
)
"""What happened in a conversation, in order.

`text` is what was written, or what changed; it is null in a message that was deleted. `folded` is
the text as a search compares it. `target` is the seq of the message that a deletion is about,
`subject_id` the member whom somebody else added or removed.

A `cid` of version 7 begins with the time, and so does the index of them: what a commit adds to it
lies side by side. With the user in front each message would change a page of its own.
"""
