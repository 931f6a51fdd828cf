"""Rules for names, messages and search: what a text may hold, and what is equal."""
