"""Unicode rules for names, messages and search: allowed characters and equality."""
