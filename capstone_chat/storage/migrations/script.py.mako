"""${message}"""

import sqlalchemy as sa

from capstone_chat.migrations.steps import add_column, create_index, create_table

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}


def upgrade() -> None:
    ${upgrades if upgrades else "pass"}
