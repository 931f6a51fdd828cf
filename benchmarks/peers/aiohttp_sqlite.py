"""Room server with aiohttp that stores each message in SQLite before it is sent on.

One commit a message, with `synchronous=FULL`, in the thread of the event loop.
"""

import argparse
import asyncio
import contextlib
import sqlite3
import tempfile
import time
from collections import defaultdict
from pathlib import Path

import aiohttp
from aiohttp import web

rooms: defaultdict[str, set[web.WebSocketResponse]] = defaultdict(set)
DATABASE: web.AppKey[sqlite3.Connection] = web.AppKey("database", sqlite3.Connection)


def open_database(file: Path) -> sqlite3.Connection:
    """Return a new database; `isolation_level=None` commits each statement."""
    database = sqlite3.connect(file, isolation_level=None)
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = FULL")
    database.execute(
        "CREATE TABLE messages (id INTEGER PRIMARY KEY, room TEXT NOT NULL, at INTEGER NOT NULL,"
        " text TEXT NOT NULL)"
    )
    return database


async def enter(request: web.Request) -> web.WebSocketResponse:
    """Add the connection to its room; store each of its messages, and send it to all members."""
    name, database = request.match_info["name"], request.app[DATABASE]
    room = rooms[name]
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    room.add(socket)
    try:
        async for message in socket:
            if message.type == aiohttp.WSMsgType.TEXT:
                row = (name, time.time_ns(), message.data)
                database.execute("INSERT INTO messages (room, at, text) VALUES (?, ?, ?)", row)
                for member in list(room):
                    with contextlib.suppress(ConnectionError):  # closed since the copy was made
                        await member.send_str(message.data)
    finally:
        room.discard(socket)
    return socket


async def main(port: int, folder: Path) -> None:
    """Serve until the process is ended."""
    app = web.Application()
    app[DATABASE] = open_database(folder / "messages.db")
    app.router.add_get("/{name}", enter)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    print(f"Open http://127.0.0.1:{runner.addresses[0][1]}", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8888)
    with tempfile.TemporaryDirectory() as temporary:
        asyncio.run(main(parser.parse_args().port, Path(temporary)))
