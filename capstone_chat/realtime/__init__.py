"""Connections, topics, presence, and the delivery of events. Does not use the database."""
