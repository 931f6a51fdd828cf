"""The tables of the database.

Times are integers, milliseconds since 1970, because databases store their own types differently.
"""

import sqlalchemy as sa

metadata = sa.MetaData()

Id = sa.BigInteger().with_variant(sa.Integer, "sqlite")
"""Type of ids. In SQLite only an INTEGER primary key is assigned automatically."""


EXACT = "utf8mb4_bin"
"""The collation of MySQL and MariaDB that compares bytes. Their dialect has a string type that
accepts a charset too, but its import takes a seventh of the time of a start on SQLite."""


def exact_string(length: int) -> sa.types.TypeEngine[str]:
    """Return a string type that compares bytes; by default "Zoe" equals "Zoë" in MariaDB."""
    return sa.String(length).with_variant(sa.String(length, collation=EXACT), "mysql", "mariadb")


Text = sa.Text().with_variant(sa.Text(2**22 - 1, collation=EXACT), "mysql", "mariadb")
"""Type of long texts. MariaDB's TEXT ends at 64 KiB; this length makes it a MEDIUMTEXT."""


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
"""An empty `language` or `theme` leaves the choice to the browser. `picture` is the name of a row
of pictures."""

sa.Index("users_name_skeleton", users.c.name_skeleton, unique=True)
"""User names that look alike have the same skeleton (see `names.skeleton`). It is null for deleted
users, and for users whose names looked alike before this check was introduced."""

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
"""Consecutive failed logins, by account and by address."""

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
"""The contacts of each user, and the users whom each user has blocked."""

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
"""`pair` identifies the private chat of two users: their ids in ascending order, with a dash
between. It is null after one of the two has deleted the account, which ends the private chat."""

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
"""Invitations of users to groups, until the user accepts or declines."""

departures = sa.Table(
    "departures",
    metadata,
    sa.Column("conversation_id", Id, sa.ForeignKey("conversations.id"), primary_key=True),
    sa.Column("user_id", Id, sa.ForeignKey("users.id"), primary_key=True, index=True),
    sa.Column("removed", sa.Boolean, nullable=False, server_default=sa.false()),
)
"""Former members of groups. The owner can invite them, but not add them without their consent.
Those whom the owner has `removed` cannot use an invite link."""

invite_links = sa.Table(
    "invite_links",
    metadata,
    sa.Column("conversation_id", Id, sa.ForeignKey("conversations.id"), primary_key=True),
    sa.Column("nonce", exact_string(32), nullable=False),
    sa.Column("expires_at", sa.BigInteger, nullable=False, index=True),
)
"""The invite link of each group that has one, without its signature (see `invite_links`)."""

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
    sa.Column("changed", sa.BigInteger),
    sa.UniqueConstraint("cid", "user_id", name="events_user_cid"),
    sqlite_with_rowid=False,  # stores the rows in the order of the primary key, that of the history
)
"""The events of conversations.

`text` is the newest text of a message, or the change; it is null in a deleted message, and in the
event of an edit. `folded` is the text in the form that a search compares. `target` is the seq of an
edited or deleted message, or of the message that a message answers. `subject_id` is the member whom
another user added or removed, or the author of a message that another user deleted. `changed` is
the seq of the newest event that edited or deleted the message; deletions before revision 0006 are
not in it.

A `cid` is a UUID of version 7, which begins with the time. In an index that begins with `cid`, the
entries of a commit are therefore adjacent. In an index that began with the user, each message would
change a different page.
"""
