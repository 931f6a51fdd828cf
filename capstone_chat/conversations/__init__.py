"""Conversations, groups, contacts, messages, and the log of events of each conversation."""
