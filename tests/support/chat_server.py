"""The real chat in a process of its own, which a test can kill and start again."""

import contextlib
import hashlib
import os
import secrets
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import tornado.web

from capstone_chat.handlers.cookies import cookie_name

ROOT = Path(__file__).resolve().parents[2]
SECONDS_TO_END = 20
PASSWORD = "seven green umbrellas"
HASH = (
    "$argon2id$v=19$m=19456,t=2,p=1$"
    "lv7ydkCIiiU+GL5N6Xg6eg$Sd1sv64zVVP3pWDRKez/4i1PlqTnhOfWsx5gINR0wiM"
)
"""What is stored of it."""

# The tests register more people in a minute, and write more, than one address and user may.
PATIENT = [
    "--request-rate=1000",
    "--request-burst=1000",
    "--send-rate=10000",
    "--send-burst=10000",
    "--frame-rate=10000",
    "--frame-burst=10000",
]


class ChatServer:
    """`python -m capstone_chat` on a port that stays the same over a restart.

    Attributes:
        data: the folder that holds its database.
        port: where it listens; 0 until it was first started, and then what it got.
    """

    def __init__(self, data: Path) -> None:
        self.data = data
        self.port = 0
        self._process: subprocess.Popen[str] | None = None

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    def start(self) -> None:
        """Start it and return when it listens."""
        command = [sys.executable, "-m", "capstone_chat", f"--port={self.port}"]
        command += [f"--data={self.data}", *PATIENT]
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
        """End it: SIGTERM as an operator does, SIGKILL as a crash."""
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
        self.stop(number)
        self.start()

    def freeze(self) -> None:
        """Let it answer nothing until `thaw`: its sockets stay open."""
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGCONT)

    def let_in(self, name: str, nickname: str) -> str:
        """Make a user with `PASSWORD`, and return the id of a session: no form, no hashing."""
        with contextlib.closing(sqlite3.connect(self.data / "chat.db", timeout=10)) as database:
            database.execute(
                "INSERT INTO users (name, name_key, nickname, password, created_at)"
                " VALUES (?, ?, ?, ?, ?)",
                (name, name, nickname, HASH, int(time.time() * 1000)),
            )
            database.commit()
        return self.log_in(name)

    def log_in(self, name: str) -> str:
        """Begin a session of a user, and return its secret id."""
        token, at = secrets.token_urlsafe(32), int(time.time() * 1000)
        with contextlib.closing(sqlite3.connect(self.data / "chat.db", timeout=10)) as database:
            database.execute(
                "INSERT INTO sessions (token_hash, user_id, created_at, seen_at, agent)"
                " SELECT ?, id, ?, ?, 'a test' FROM users WHERE name = ?",
                (hashlib.sha256(token.encode()).hexdigest(), at, at, name),
            )
            database.commit()
        return token

    def add_contact(self, owner: str, name: str) -> None:
        """Put a user into the contact list of another one."""
        with contextlib.closing(sqlite3.connect(self.data / "chat.db", timeout=10)) as database:
            database.execute(
                "INSERT INTO contacts (user_id, other_id, blocked, at)"
                " SELECT owner.id, other.id, 0, 0 FROM users owner, users other"
                " WHERE owner.name = ? AND other.name = ?",
                (owner, name),
            )
            database.commit()

    def cookie(self, name: str, value: str) -> tuple[str, str]:
        """Return the name and the content of a cookie as the chat would set it."""
        secret = (self.data / "secret").read_text().strip()
        full = cookie_name(name, secret, secure=False)
        return full, tornado.web.create_signed_value(secret, full, value).decode()

    def make_groups(self, owner: str, count: int) -> None:
        """Make groups in which a user has written one message each."""
        at = int(time.time() * 1000)
        with contextlib.closing(sqlite3.connect(self.data / "chat.db", timeout=10)) as database:
            (user,) = database.execute("SELECT id FROM users WHERE name = ?", (owner,)).fetchone()
            for number in range(count):
                title = f"{owner} {number}"
                conv = database.execute(
                    "INSERT INTO conversations"
                    " (kind, title, title_key, description, public, head, created_at)"
                    " VALUES ('group', ?, ?, '', 0, 1, ?)",
                    (title, title, at),
                ).lastrowid
                database.execute(
                    "INSERT INTO members (conversation_id, user_id, role, joined_at, read_seq)"
                    " VALUES (?, ?, 'owner', ?, 0)",
                    (conv, user, at),
                )
                database.execute(
                    "INSERT INTO events (conversation_id, seq, type, user_id, text, folded, at)"
                    " VALUES (?, 1, 'message', ?, 'Hello', 'hello', ?)",
                    (conv, user, at),
                )
            database.commit()

    def make_members(self, title: str, count: int) -> None:
        """Make users "Member 000" and so on, and members of a group."""
        at = int(time.time() * 1000)
        with contextlib.closing(sqlite3.connect(self.data / "chat.db", timeout=10)) as database:
            (conv,) = database.execute(
                "SELECT id FROM conversations WHERE title = ?", (title,)
            ).fetchone()
            for number in range(count):
                name = f"member-{conv}-{number:03}"
                user = database.execute(
                    "INSERT INTO users (name, name_key, nickname, password, created_at)"
                    " VALUES (?, ?, ?, ?, ?)",
                    (name, name, f"Member {number:03}", HASH, at),
                ).lastrowid
                database.execute(
                    "INSERT INTO members (conversation_id, user_id, role, joined_at, read_seq)"
                    " VALUES (?, ?, 'member', ?, 1)",
                    (conv, user, at),
                )
            database.commit()

    def captcha_answer(self, challenge: str) -> str:
        """Return what a captcha's picture shows: it is nowhere but in the database."""
        with contextlib.closing(sqlite3.connect(self.data / "chat.db", timeout=10)) as database:
            row = database.execute(
                "SELECT answer FROM captchas WHERE id = ?", (challenge,)
            ).fetchone()
        assert row is not None, f"no captcha {challenge}"
        return str(row[0])


@contextlib.contextmanager
def serving(data: Path) -> Iterator[ChatServer]:
    server = ChatServer(data)
    server.start()
    try:
        yield server
    finally:
        server.stop(signal.SIGKILL)
