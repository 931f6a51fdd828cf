"""Edits of messages, and messages that answer others.

A message knows the newest event that changed it. What an event is about was in the table before.
"""

import sqlalchemy as sa

from capstone_chat.storage.migrations import steps

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    steps.add_column("events", sa.Column("changed", sa.BigInteger))
