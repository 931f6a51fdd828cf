"""Storage: the database and the files, without knowledge of the chat's rules."""
