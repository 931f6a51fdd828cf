"""Environment script of Alembic, with the connection from `migrate.upgrade`."""

from alembic import context

from capstone_chat.storage.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=False,  # `migrate.migrate` has started the transaction
)
context.run_migrations()
