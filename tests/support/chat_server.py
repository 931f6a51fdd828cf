"""The real chat in a process of its own, which a test can kill and start again."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import sqlalchemy as sa

from capstone_chat import urls
from capstone_chat.storage.database import now_ms
from capstone_chat.storage.tables import contacts, conversations, events, members, users
from tests.support.chat_accounts import ChatAccounts

ROOT = Path(__file__).resolve().parents[2]
SECONDS_TO_END = 20
"""Seconds that the chat may take to stop."""
PASSWORD = "seven green umbrellas"
HASH = (
    "$argon2id$v=19$m=19456,t=2,p=1$"
    "lv7ydkCIiiU+GL5N6Xg6eg$Sd1sv64zVVP3pWDRKez/4i1PlqTnhOfWsx5gINR0wiM"
)
"""The hash of `PASSWORD`, as the chat stores it."""

# The tests register more people in a minute, and write more, than one address and user may.
HIGH_LIMITS = [
    "--request-rate=1000",
    "--request-burst=1000",
    "--send-rate=10000",
    "--send-burst=10000",
    "--frame-rate=10000",
    "--frame-burst=10000",
]


class ChatServer(ChatAccounts):
    """`python -m capstone_chat` on a port that stays the same over a restart.

    Args:
        data: the folder that holds its database.

    Attributes:
        port: the port on which it listens; 0 before the first start.
    """

    def __init__(self, data: Path) -> None:
        file = urls.sqlite_url(data / "chat.db")
        engine = sa.create_engine(file, poolclass=sa.NullPool, connect_args={"timeout": 10})
        super().__init__(engine, data / "secret", HASH)
        self.data = data
        self.port = 0
        self._process: subprocess.Popen[str] | None = None

    @property
    def url(self) -> str:
        """The address of its pages."""
        return f"http://localhost:{self.port}"

    def start(self) -> None:
        """Start the chat and return when it listens."""
        command = [sys.executable, "-m", "capstone_chat", f"--port={self.port}"]
        command += [f"--data={self.data}", *HIGH_LIMITS]
        with (self.data / "log").open("a") as log:
            self._process = subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=log, encoding="utf-8", cwd=ROOT
            )
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.startswith("Open http://"):
                self.port = int(line.rpartition(":")[2])
                return
        raise AssertionError("the chat did not start:\n" + (self.data / "log").read_text())

    def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        """Stop the chat with SIGTERM, as an operator does, or with SIGKILL, like a crash."""
        if self._process is None:
            return
        self._process.send_signal(number)
        try:
            self._process.wait(SECONDS_TO_END)
        finally:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def restart(self, number: signal.Signals = signal.SIGTERM) -> None:
        """Stop the chat by a signal and start it again."""
        self.stop(number)
        self.start()

    def freeze(self) -> None:
        """Pause the process. It answers nothing until `thaw`; its connections stay open."""
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Continue the process after `freeze`."""
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGCONT)

    def add_contact(self, owner: str, name: str) -> None:
        """Insert a user, by name, into the contact list of another user."""
        with self.engine.begin() as connection:
            ids = [
                connection.scalar(sa.select(users.c.id).where(users.c.name == each))
                for each in (owner, name)
            ]
            row = {"user_id": ids[0], "other_id": ids[1], "blocked": False, "at": 0}
            connection.execute(contacts.insert().values(**row))

    def add_groups(self, owner: str, count: int) -> None:
        """Insert groups of an owner, each with one message."""
        at = now_ms()
        with self.engine.begin() as connection:
            user = connection.scalar(sa.select(users.c.id).where(users.c.name == owner))
            for number in range(count):
                title = f"{owner} {number}"
                group = {"kind": "group", "title": title, "title_key": title, "description": ""}
                made = connection.execute(
                    conversations.insert().values(**group, public=False, head=1, created_at=at)
                )
                assert made.inserted_primary_key is not None
                ids = {"conversation_id": made.inserted_primary_key[0], "user_id": user}
                connection.execute(
                    members.insert().values(**ids, role="owner", joined_at=at, read_seq=0)
                )
                message = {"type": "message", "text": "Hello", "folded": "hello"}
                connection.execute(events.insert().values(**ids, **message, seq=1, at=at))

    def add_members(self, title: str, count: int) -> None:
        """Insert users "Member 000", "Member 001" and so on as members of a group."""
        at = now_ms()
        with self.engine.begin() as connection:
            of_title = sa.select(conversations.c.id).where(conversations.c.title == title)
            conv = connection.execute(of_title).scalar_one()
            for number in range(count):
                name = f"member-{conv}-{number:03}"
                user = {"name": name, "name_key": name, "nickname": f"Member {number:03}"}
                made = connection.execute(
                    users.insert().values(**user, password=HASH, created_at=at)
                )
                assert made.inserted_primary_key is not None
                ids = {"conversation_id": conv, "user_id": made.inserted_primary_key[0]}
                connection.execute(
                    members.insert().values(**ids, role="member", joined_at=at, read_seq=1)
                )


@contextlib.contextmanager
def serving(data: Path) -> Iterator[ChatServer]:
    """Run a chat on an SQLite database in a folder, inside the block."""
    server = ChatServer(data)
    server.start()
    try:
        yield server
    finally:
        server.stop(signal.SIGKILL)
