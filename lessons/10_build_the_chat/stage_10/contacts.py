"""Contacts, private chats and pictures. The functions with a connection run in its thread."""

import io
import secrets
import sqlite3
from typing import Any

from conversations import find_conversation
from errors import ChatError
from PIL import Image, ImageOps

MAX_PICTURE = 1024 * 1024  # bytes of an upload
MAX_PIXELS = 16_000_000  # of an upload: a small file may become a large picture
SIDE = 128  # pixels of a stored picture


def add_contact(connection: sqlite3.Connection, user: int, name: str) -> dict[str, Any]:
    """Open the private chat with the user of a name, and return its summary."""
    found = connection.execute("SELECT id FROM users WHERE name = ?", (name.strip().lower(),))
    row = found.fetchone()
    return open_private_chat(connection, user, row["id"] if row else 0)  # no user has the id 0


def open_private_chat(connection: sqlite3.Connection, user: int, other: int) -> dict[str, Any]:
    """Return the summary of the private chat of two users; it is created if there is none."""
    there = connection.execute("SELECT 1 FROM users WHERE id = ? AND id != ?", (other, user))
    if not there.fetchone():
        raise ChatError(404, "no_such_user", "There is no other user of this name.")
    pair = f"{min(user, other)}:{max(user, other)}"  # UNIQUE: two users have one private chat
    sql = "INSERT OR IGNORE INTO conversations (kind, title, pair) VALUES ('private', '', ?)"
    connection.execute(sql, (pair,))
    found = connection.execute("SELECT id FROM conversations WHERE pair = ?", (pair,))
    conv = found.fetchone()["id"]
    sql = "INSERT OR IGNORE INTO members (conv, user) VALUES (?, ?)"
    connection.executemany(sql, [(conv, user), (conv, other)])
    return find_conversation(connection, user, conv)


def draw_picture(upload: bytes) -> bytes:
    """Return a square WebP of an uploaded picture; raises ChatError if it is none.

    The picture is drawn again: other content of the file (a place, a script) is gone.
    """
    try:
        with Image.open(io.BytesIO(upload), formats=["PNG", "JPEG", "WEBP", "GIF"]) as image:
            if image.width * image.height > MAX_PIXELS:
                raise ValueError("too many pixels")
            upright = ImageOps.exif_transpose(image).convert("RGB")
            square = ImageOps.fit(upright, (SIDE, SIDE))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        raise ChatError(400, "not_a_picture", "This file is no picture that can be used.") from None
    output = io.BytesIO()
    square.save(output, "WEBP")
    return output.getvalue()


def store_picture(connection: sqlite3.Connection, user: int, data: bytes) -> str:
    """Store the picture of a user and return its name, which is never used again."""
    name = secrets.token_urlsafe(12)
    sql = "DELETE FROM pictures WHERE name = (SELECT picture FROM users WHERE id = ?)"
    connection.execute(sql, (user,))
    connection.execute("INSERT INTO pictures VALUES (?, ?)", (name, data))
    connection.execute("UPDATE users SET picture = ? WHERE id = ?", (name, user))
    return name


def load_picture(connection: sqlite3.Connection, name: str) -> bytes:
    """Return a picture; raises ChatError if there is none of this name."""
    row = connection.execute("SELECT data FROM pictures WHERE name = ?", (name,)).fetchone()
    if not row:
        raise ChatError(404, "not_found", "There is no such picture.")
    data: bytes = row["data"]
    return data
