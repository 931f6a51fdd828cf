"""Alembic runs this; the connection comes from `migrate.upgrade`."""

from alembic import context

from capstone_chat.storage.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=False,  # its caller has begun the transaction
)
context.run_migrations()
