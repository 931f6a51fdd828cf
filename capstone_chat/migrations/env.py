"""Alembic runs this; the connection comes from `schema.migrate`."""

from alembic import context

from capstone_chat.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=False,  # `schema.migrate` has begun the transaction
)
context.run_migrations()
