"""The tour: text, editor, result and check of the course on one page, served by Tornado."""
