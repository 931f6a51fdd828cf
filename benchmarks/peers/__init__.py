"""Servers to compare the chat with: rooms, and nothing else.

Each speaks the simplest broadcast, in the form in which its own documentation does it: whoever
connects to /NAME is in the room NAME, and a text that somebody sends goes to all who are in it.
"""
