"""Run the chat for a load client, with groups and logged-in members in its database.

    python -m benchmarks.serve --rooms=1 --members=100 --values=credentials.tsv --port=8888

User i is a member of group i modulo the number of rooms. `--values` names the file for the users'
credentials: line i is the value of user i's Cookie header, a tab, and the id of the user's group.
No check is switched off. Only limits are raised, by options that every operator can set.
"""

import argparse
import asyncio
import hashlib
import secrets
import sys
import tempfile
import uuid
from pathlib import Path

import sqlalchemy as sa
import tornado.web

from capstone_chat import __main__ as start
from capstone_chat.handlers.cookies import cookie_name
from capstone_chat.options import Options, load_or_create_secret
from capstone_chat.storage import migrate, tables
from capstone_chat.storage.database import Database, now_ms

ROWS = 1000
"""Number of rows in one INSERT statement."""


def seed_database(options: Options, rooms: int, members: int, messages: int = 0) -> list[str]:
    """Insert users, sessions, groups and messages into an empty database.

    Returns:
        The line of credentials of each user.
    """
    database = Database(options.database_url)
    migrate.migrate(database.engine)
    at = now_ms()
    users = range(rooms * members)
    tokens = [secrets.token_urlsafe(32) for _ in users]
    rows = {
        tables.users: [
            {"id": i + 1, "name": f"user{i}", "name_key": f"user{i}", "nickname": f"User {i}"}
            | {"password": "nobody logs in with this", "created_at": at}
            for i in users
        ],
        tables.sessions: [
            {"token_hash": hashlib.sha256(token.encode()).hexdigest(), "user_id": i + 1}
            | {"created_at": at, "seen_at": at, "agent": "benchmark"}
            for i, token in enumerate(tokens)
        ],
        tables.conversations: [
            {"id": room + 1, "kind": "group", "title": f"Room {room}", "title_key": f"room {room}"}
            | {"description": "", "public": True, "head": messages, "created_at": at}
            for room in range(rooms)
        ],
        tables.members: [
            {"conversation_id": i % rooms + 1, "user_id": i + 1, "role": "member"}
            | {"joined_at": at, "read_seq": 0}
            for i in users
        ],
    }
    with database.engine.execution_options(writes=True).begin() as connection:
        for table, values in rows.items():
            for begin in range(0, len(values), ROWS):
                connection.execute(sa.insert(table), values[begin : begin + ROWS])
        for room in range(rooms):
            for begin in range(0, messages, ROWS):
                seqs = range(begin + 1, min(begin + ROWS, messages) + 1)
                old = [message_row(room, seq, seq % members * rooms + room, at) for seq in seqs]
                connection.execute(sa.insert(tables.events), old)
    database.engine.dispose()
    secret = load_or_create_secret(Path(options.data))
    name = cookie_name("session", secret, secure=options.secure)
    return [
        f"{name}={tornado.web.create_signed_value(secret, name, token).decode()}\t{i % rooms + 1}"
        for i, token in enumerate(tokens)
    ]


def message_row(room: int, seq: int, sender: int, at: int) -> dict[str, object]:
    """Return the row of a message, for the table of events."""
    text = f"Message {seq}, as long as people write them: some words, and then a few more words."
    return {"conversation_id": room + 1, "seq": seq, "type": "message", "user_id": sender + 1} | {
        "cid": str(uuid.uuid4()),
        "text": text,
        "folded": text.casefold(),
        "at": at,
    }


def main() -> int:
    """Fill a database, write the credentials, and serve the chat until a signal stops it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rooms", type=int, default=1, help="groups (default 1)")
    parser.add_argument("--members", type=int, default=100, help="members of each (default 100)")
    parser.add_argument(
        "--values", type=Path, required=True, help="file for the credentials of the users"
    )
    parser.add_argument("--messages", type=int, default=0, help="messages in each (default 0)")
    parser.add_argument("--port", type=int, default=8888, help="default 8888; 0 takes a free one")
    parser.add_argument("--database", default="", help="SQLAlchemy URL of an empty database")
    parser.add_argument("--redis", default="", help="URL of the Redis between several processes")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        options = Options(
            data=folder,
            port=given.port,
            database=given.database,
            redis=given.redis,
            send_rate=1e6,
            read_rate=1e6,
            read_burst=1_000_000,
            send_burst=1_000_000,
            # All clients have the same address, and after a reconnect storm closed sockets still
            # count until the server has noticed their end.
            sockets_per_address=2 * given.rooms * given.members + 1000,
            connections_per_address=4 * given.rooms * given.members + 2000,
            connections=4 * given.rooms * given.members + 10_000,
            frame_rate=1e6,
            frame_burst=1_000_000,
        )
        lines = seed_database(options, given.rooms, given.members, given.messages)
        given.values.write_text("\n".join(lines) + "\n", encoding="utf-8")
        asyncio.run(start.serve(options))
    return 0


if __name__ == "__main__":
    sys.exit(main())
