"""Servers for comparison with the chat: rooms and a broadcast; two of them also store messages.

Each server has the simplest broadcast, in the form that its own documentation shows. A connection
to /NAME is a member of the room NAME (with Socket.IO the query names the room), and each text is
sent to all members of the room.
"""
