"""A chat with groups and private chats on Tornado: the capstone of the course."""

__version__ = "1.0.0"
"""The version of the chat and of the course. tests/documents/test_version.py names all places."""
