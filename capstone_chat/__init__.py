"""A group chat on Tornado: the end of the course, and small enough to read in an evening."""
