"""Migrations of the tables, which Alembic runs for `migrate.upgrade`."""
