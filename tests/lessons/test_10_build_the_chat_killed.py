"""Lesson 10: the last stage is killed amid messages; none is lost, none is doubled."""

import asyncio
import contextlib
import hashlib
import json
import shutil
import signal
import sqlite3
import time
import uuid
from pathlib import Path

from tornado.httpclient import HTTPRequest
from tornado.websocket import WebSocketClientConnection, websocket_connect

from tests.support.lesson_pages import LESSONS_FOLDER
from tests.support.script_server import Server, serving

STAGE = LESSONS_FOLDER / "10_build_the_chat" / "stage_10"
TOKENS = ("token of Ada", "token of Bob")
MESSAGES = 60
ACKS_BEFORE_THE_KILL = 8
TIMEOUT = 30  # seconds


def make_chat(folder: Path) -> Path:
    """Copy the stage; return its database, with two users who are logged in."""
    shutil.copytree(STAGE, folder, ignore=shutil.ignore_patterns("chat.db*", "__pycache__"))
    with serving(folder / "app.py"):
        pass  # creates the tables
    file = folder / "chat.db"
    with contextlib.closing(sqlite3.connect(file)) as database, database:
        for user, token in enumerate(TOKENS, 1):
            row = (user, f"user{user}", f"User {user}")
            database.execute("INSERT INTO users VALUES (?, ?, ?, 'no hash', NULL)", row)
            database.execute("INSERT INTO members (conv, user) VALUES (1, ?)", (user,))
            session = (hashlib.sha256(token.encode()).hexdigest(), user, time.time() + 3600)
            database.execute("INSERT INTO sessions VALUES (?, ?, ?)", session)
    return file


class Outboxes:
    """What two pages have sent, and the acks that they have received.

    Attributes:
        sent: the cid of each message with the number of its user, 0 or 1, and its text.
        acks: the seqs that were acknowledged for each cid.
    """

    def __init__(self) -> None:
        self.sent = {str(uuid.uuid4()): (n % 2, f"number {n}") for n in range(MESSAGES)}
        self.acks: dict[str, set[int]] = {}

    async def transmit(self, server: Server, wanted: int, *, kill: bool = False) -> None:
        """Send all that has no ack on two connections.

        Args:
            server: the chat.
            wanted: the number of messages with an ack for which this waits.
            kill: whether to kill the chat after the next ack, which is lost.
        """
        sockets = [await self._connect(server, token) for token in TOKENS]
        for cid in self.sent.keys() - self.acks.keys():
            user, text = self.sent[cid]
            frame = {"type": "send", "cid": cid, "conv": 1, "text": text}
            sockets[user].write_message(json.dumps(frame))
        async with asyncio.timeout(TIMEOUT):
            readers = [asyncio.create_task(self._read(socket, wanted)) for socket in sockets]
            await asyncio.wait(readers, return_when=asyncio.FIRST_COMPLETED)
            if kill:
                server.stop(signal.SIGKILL)
            for reader in readers:
                reader.cancel()
            await asyncio.gather(*readers, return_exceptions=True)
            for socket in sockets:
                socket.close()
                while await socket.read_message() is not None:
                    pass

    async def _connect(self, server: Server, token: str) -> WebSocketClientConnection:
        url = server.url.replace("http", "ws") + "/ws"
        return await websocket_connect(HTTPRequest(url, headers={"Cookie": f'session="{token}"'}))

    async def _read(self, socket: WebSocketClientConnection, wanted: int) -> None:
        while (message := await socket.read_message()) is not None:
            frame = json.loads(message)
            if frame["type"] == "ack":
                if len(self.acks) == wanted:
                    return  # as if the connection had broken before it: stored, without an ack
                self.acks.setdefault(frame["cid"], set()).add(frame["seq"])
                if len(self.acks) == MESSAGES:
                    return


def test_nothing_acknowledged_is_lost_and_nothing_is_doubled(tmp_path: Path) -> None:
    file = make_chat(tmp_path / "chat")
    outboxes = Outboxes()
    for kills in range(3):
        with serving(file.parent / "app.py") as server:
            wanted = (kills + 1) * ACKS_BEFORE_THE_KILL
            asyncio.run(outboxes.transmit(server, wanted, kill=True))
    with serving(file.parent / "app.py") as server:
        asyncio.run(outboxes.transmit(server, MESSAGES))
    with contextlib.closing(sqlite3.connect(file)) as database:
        rows = database.execute("SELECT seq, cid, text FROM events ORDER BY seq").fetchall()
    assert [seq for seq, _, _ in rows] == list(range(1, MESSAGES + 1))
    assert {cid: text for _, cid, text in rows} == {c: t for c, (_, t) in outboxes.sent.items()}
    assert outboxes.acks == {cid: {seq} for seq, cid, _ in rows}
