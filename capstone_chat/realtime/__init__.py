"""Connections, topics, presence and the delivery of events. The package uses no database."""
