"""On MariaDB and MySQL: a search tells "Zoe" from "Zoë", and no folded text is too long.

A character may fold to eighteen, so 4000 of them do not always fit into 64 KiB.
"""

from alembic import op
from sqlalchemy.dialects import mysql

revision = "0003"
down_revision = "0002"

EXACT = {"charset": "utf8mb4", "collation": "utf8mb4_bin"}


def upgrade() -> None:
    if op.get_bind().dialect.name not in ("mysql", "mariadb"):
        return
    # Repeated, each of these changes nothing.
    for name in "text", "folded":
        op.alter_column(
            "events",
            name,
            existing_type=mysql.TEXT(charset="utf8mb4"),
            existing_nullable=True,
            type_=mysql.MEDIUMTEXT(**EXACT),
        )
    op.alter_column(
        "sessions",
        "agent",
        existing_type=mysql.VARCHAR(200),
        existing_nullable=False,
        type_=mysql.VARCHAR(200, **EXACT),
        nullable=False,
    )
