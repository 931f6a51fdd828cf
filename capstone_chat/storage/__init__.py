"""The database and the files, without any chat in them."""
