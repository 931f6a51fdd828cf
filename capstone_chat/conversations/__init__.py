"""Services for conversations, groups, contacts and messages; the events of conversations."""
