"""The chat as a process: how it starts, says what is wrong, stops, and comes back."""

import asyncio
import contextlib
import functools
import json
import os
import re
import resource
import signal
import socket
import stat
import sys
import tempfile
import unittest
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar
from unittest import mock

import sqlalchemy as sa
import tornado.httpclient
import tornado.testing

from capstone_chat import __main__ as start
from capstone_chat import urls
from capstone_chat.storage.database import Database
from tests.capstone import databases
from tests.capstone.chat_case import PASSWORD, Closable, Person
from tests.support import forked_python
from tests.support.chat_accounts import captcha_answer

ROOT = Path(__file__).parents[2]


class ProcessCase(tornado.testing.AsyncTestCase):
    """Starts the chat as its users do."""

    only_sqlite: ClassVar[bool] = False
    """It is about SQLite itself, whatever the others run on."""
    program: ClassVar[tuple[str, ...]] = ("-m", "capstone_chat")

    def setUp(self) -> None:
        super().setUp()
        folder = Path(self.enterContext(tempfile.TemporaryDirectory(ignore_cleanup_errors=True)))
        self.data = folder / "data"
        self.http_client = tornado.httpclient.AsyncHTTPClient(force_instance=True)
        self.opened: list[Closable] = []
        self.processes: list[asyncio.subprocess.Process] = []
        self.port = 0
        self.url = "" if self.only_sqlite else databases.chosen_url()

    def tearDown(self) -> None:
        async def close() -> None:
            for each in self.opened:
                each.close()
            for process in self.processes:
                if process.returncode is None:
                    process.kill()
                await process.communicate()

        self.io_loop.run_sync(close)
        self.http_client.close()
        super().tearDown()

    def get_url(self, path: str) -> str:
        return f"http://localhost:{self.port}{path}"

    def get_http_port(self) -> int:
        return self.port

    def answer(self, challenge: str) -> str:
        engine = Database(self.url or urls.sqlite_url(self.data / "chat.db")).engine
        try:
            return captcha_answer(engine, challenge)
        finally:
            engine.dispose()

    async def spawn(
        self, *arguments: str, before: Callable[[], object] | None = None, folder: Path = ROOT
    ) -> asyncio.subprocess.Process:
        """Start the chat in the folder of its package; `before` runs in the new process first."""
        if self.url:
            arguments = (f"--database={self.url}", *arguments)
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *(*self.program, f"--data={self.data}", *arguments),
            cwd=folder,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            preexec_fn=before,
        )
        self.processes.append(process)
        return process

    async def start(
        self, *arguments: str, before: Callable[[], object] | None = None, folder: Path = ROOT
    ) -> asyncio.subprocess.Process:
        """Start the chat on a free port and wait until it listens."""
        quiet = "--logging=error" if self.url else "--logging=warning"  # there is no Redis
        given = ("--port=0", quiet, "--drain=0.01", *arguments)
        process = await self.spawn(*given, before=before, folder=folder)
        assert process.stdout is not None
        line = (await process.stdout.readline()).decode()
        found = re.fullmatch(r"Open http://localhost:(\d+)\n", line)
        if found is None:
            _, said = await process.communicate()
            self.fail(f"it printed {line!r} and said {said.decode()}")
        self.port = int(found[1])
        return process

    async def shut_down(self, process: asyncio.subprocess.Process) -> str:
        """Ask the chat to stop, see that it does so cleanly, and return what it logged."""
        process.send_signal(signal.SIGTERM)
        out, said = await process.communicate()
        self.assertEqual((process.returncode, out), (0, b""), said.decode())
        return said.decode()

    async def refused(self, *arguments: str, code: int = 2) -> str:
        """Start the chat with something wrong; check its exit code and return its one line.

        The process is a fork of one that has the chat imported: the imports take several times as
        long as the refusal.
        """
        if self.url:
            arguments = (f"--database={self.url}", *arguments)
        command = (*self.program, f"--data={self.data}", "--logging=warning", *arguments)
        with (
            forked_python.open_null() as stdin,
            tempfile.TemporaryFile() as out,
            tempfile.TemporaryFile() as error,
        ):
            streams = [file.fileno() for file in (stdin, out, error)]
            process = forked_python.ForkedPython(
                command, streams, ROOT, prepared="tests.capstone.prepared_chat"
            )
            found = await process.wait_async()
            said = [os.pread(file.fileno(), 100_000, 0).decode() for file in (out, error)]
        self.assertEqual((found, said[0]), (code, ""), said[1])
        self.assertNotIn("Traceback", said[1])
        self.assertEqual(said[1].count("\n"), 1, said[1])
        self.assertTrue(said[1].startswith("capstone_chat: "), said[1])
        return said[1]


class StartTest(ProcessCase):
    only_sqlite = True

    @tornado.testing.gen_test
    async def test_it_prints_its_address_and_answers_there(self) -> None:
        process = await self.start()
        response = await Person(self, "anna").fetch("/")
        self.assertEqual((response.code, response.headers["Location"]), (302, "/login?next=%2F"))
        self.assertEqual(await self.shut_down(process), "")

    @tornado.testing.gen_test
    async def test_help_is_printed_and_nothing_is_started(self) -> None:
        process = await self.spawn("--help")
        out, said = await process.communicate()
        self.assertEqual((process.returncode, said), (0, b""))
        self.assertIn(b"--port=8888", out)
        self.assertFalse(self.data.exists())

    @tornado.testing.gen_test
    async def test_the_secret_and_the_database_are_in_the_data_folder(self) -> None:
        process = await self.start()
        secret = self.data / "secret"
        self.assertEqual(stat.S_IMODE(secret.stat().st_mode), 0o600)
        before = secret.read_text()
        await self.shut_down(process)
        await self.shut_down(await self.start())
        self.assertEqual(secret.read_text(), before)
        self.assertEqual({path.name for path in self.data.iterdir()}, {"secret", "chat.db"})


class AddressTest(unittest.TestCase):
    def test_the_printed_address_is_one_that_a_browser_opens(self) -> None:
        for address, url in {
            "localhost": "http://localhost:80",
            "127.0.0.1": "http://127.0.0.1:80",
            "0.0.0.0": "http://localhost:80",
            "": "http://localhost:80",
            " ": "http://localhost:80",
            "::": "http://[::1]:80",
            "[::]": "http://[::1]:80",
            "::1": "http://[::1]:80",
            "[::1]": "http://[::1]:80",
            " ::1 ": "http://[::1]:80",
            "fe80::1%eth0": "http://[fe80::1%25eth0]:80",
            "192.0.2.7": "http://192.0.2.7:80",
            "chat.example.org": "http://chat.example.org:80",
        }.items():
            with self.subTest(address=address):
                self.assertEqual(start.url_to_open(address, 80), url)

    def test_it_listens_on_what_is_meant(self) -> None:
        for address, meant in {
            "[::1]": "::1",
            "::1": "::1",
            "": "",
            " 127.0.0.1": "127.0.0.1",
        }.items():
            with self.subTest(address=address), mock.patch("tornado.netutil.bind_sockets") as bind:
                start.listen(address, 80)
                self.assertEqual(bind.call_args.args, (80, meant))

    def test_what_can_be_no_address_is_an_error_of_the_system(self) -> None:
        for address in "x" * 64, "a..b", "\0", "localhost:80", "http://localhost", "[127.0.0.1":
            with self.subTest(address=address), self.assertRaises(OSError):
                start.listen(address, 0)


class FilesTest(ProcessCase):
    only_sqlite = True

    @staticmethod
    def few_files() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))

    @tornado.testing.gen_test
    async def test_with_few_files_half_requests_keep_nobody_out_and_nothing_is_missing(
        self,
    ) -> None:
        process = await self.start("--header-timeout=60", before=self.few_files)
        held = self.enterContext(contextlib.ExitStack())
        anna = Person(self, "anna")
        for _ in range(4):
            for _ in range(30):
                half = held.enter_context(socket.create_connection(("localhost", self.port)))
                half.send(b"POST /login HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n")
            self.assertEqual((await anna.fetch("/static/css/chat.css")).code, 200)
            self.assertEqual((await anna.fetch("/readyz")).code, 200)
        await anna.register("Anna")
        conv = await anna.group()
        line = await anna.connect()
        await line.send(conv, "there is room")
        await line.receive("ack")
        said = await self.shut_down(process)
        lines = [json.loads(each)["message"] for each in said.splitlines()]
        self.assertEqual(len(lines), 2, lines)
        self.assertIn("64", lines[0])
        self.assertIn("24 connections", lines[0])
        self.assertIn("24 connections", lines[1])


class WrongStartTest(ProcessCase):
    only_sqlite = True

    @tornado.testing.gen_test
    async def test_a_taken_port_says_which_option_to_give(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            said = await self.refused(f"--port={port}", "--address=127.0.0.1", code=1)
        self.assertIn(f"port {port} is taken", said)
        self.assertIn("--port=", said)

    @tornado.testing.gen_test
    async def test_a_wrong_option_is_named(self) -> None:
        said = await self.refused("--port=abc")
        self.assertIn("--port=abc", said)
        self.assertFalse(self.data.exists())
        new = await self.spawn("--port=abc")  # not a fork
        out, error = await new.communicate()
        self.assertEqual((new.returncode, out, error.decode()), (2, b"", said))

    @tornado.testing.gen_test
    async def test_an_address_that_is_none_is_named(self) -> None:
        said = await self.refused("--port=0", "--address=256.256.256.256", code=1)
        self.assertIn("256.256.256.256", said)
        self.assertIn("--address", said)

    @tornado.testing.gen_test
    async def test_a_name_that_can_be_none_is_named(self) -> None:
        for address, expected in ("x" * 64, 2), ("localhost:80", 1):  # no label of a name has 64
            said = await self.refused("--port=0", f"--address={address}", code=expected)
            self.assertIn(address, said)
            self.assertIn("--address", said)

    @tornado.testing.gen_test
    async def test_a_data_folder_that_cannot_be_one_is_named(self) -> None:
        self.data.write_text("a file, not a folder")
        said = await self.refused("--port=0")
        self.assertIn(str(self.data), said)
        self.assertIn("--data=", said)

    @tornado.testing.gen_test
    async def test_a_broken_database_is_named(self) -> None:
        self.data.mkdir()
        (self.data / "chat.db").write_bytes(b"this is no database, whatever its name says " * 100)
        said = await self.refused("--port=0")
        self.assertIn(str(self.data / "chat.db"), said)
        self.assertIn("not a database", said)

    @tornado.testing.gen_test
    async def test_a_database_of_a_newer_chat_is_left_alone(self) -> None:
        await self.shut_down(await self.start())
        engine = Database(urls.sqlite_url(self.data / "chat.db")).engine
        with engine.begin() as connection:
            connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
        engine.dispose()
        said = await self.refused("--port=0")
        self.assertIn("9999", said)

    @tornado.testing.gen_test
    async def test_a_database_address_that_is_none_is_named_without_its_password(self) -> None:
        for url in (
            "nothing://anna:hunter2@localhost/chat",
            "mysql+pymysql://anna:hunter2@127.0.0.1:1/chat",
            "mysql+pymysql://anna@127.0.0.1:1/chat?password=hunter2",
            "postgresql+psycopg://anna:hunter2@/chat?host=127.0.0.1:1&host=127.0.0.1:2"
            "&target_session_attrs=read-write",
        ):
            with self.subTest(url=url):
                said = await self.refused("--port=0", f"--database={url}")
                self.assertIn("database", said)
                self.assertEqual(said.count("\n"), 1)
                if "host=" in url:
                    self.assertEqual(said.count("port 1 failed") + said.count("port 2 failed"), 2)
                self.assertNotIn("hunter2", said)

    @tornado.testing.gen_test
    async def test_a_data_folder_of_any_wrong_kind_is_named(self) -> None:
        file = self.data.parent / "file"
        file.write_text("")
        loop = self.data.parent / "loop"
        loop.symlink_to(loop)
        for place in "", file, file / "below", loop, "x" * 300, "/proc/chat", "/dev/null":
            with self.subTest(place=place):
                said = await self.refused("--port=0", f"--data={place}")
                self.assertIn("--data", said)
                self.assertIn("give ", said)

    @tornado.testing.gen_test
    async def test_a_database_file_of_any_wrong_kind_is_named(self) -> None:
        folder = self.data.parent / "folder"
        folder.mkdir()
        (folder / "text").write_text("this is no database, whatever its name says " * 100)
        read_only = "/sys/chat.db"
        for place in folder, folder / "text", folder / "none" / "chat.db", read_only, "x" * 300:
            with self.subTest(place=place):
                said = await self.refused("--port=0", f"--database=sqlite:///{place}")
                self.assertIn(f"--database=sqlite:///{place}: ", said)

    @tornado.testing.gen_test
    async def test_a_parameter_that_only_the_driver_knows_to_be_wrong_is_named(self) -> None:
        for url in (
            "mysql+pymysql://anna:hunter2@127.0.0.1:1/chat?ssl_ca=/nowhere",
            "mysql+pymysql://anna:hunter2@127.0.0.1:1/chat?read_default_file=/nowhere",
            "postgresql+psycopg://anna:hunter2@127.0.0.1:1/chat?sslmode=nonsense",
            "postgresql+psycopg://anna:hunter2@127.0.0.1:1/chat?connect_timeout=soon",
            "postgresql+psycopg://anna:hunter2@/chat?host=/nowhere&port=99999",
        ):
            with self.subTest(url=url):
                said = await self.refused("--port=0", f"--database={url}")
                self.assertIn("--database=", said)
                self.assertNotIn("hunter2", said)

    @tornado.testing.gen_test
    async def test_a_redis_that_cannot_be_used_is_named(self) -> None:
        for url in (
            "redis://:hunter2@127.0.0.1:1/0",
            "redis://:hunter2@127.0.0.1:1/0?foo=bar",
            "redis://:hunter2@127.0.0.1:1/0?socket_timeout=soon",
            "redis://:hunter2@host.invalid/0",
            "rediss://:hunter2@127.0.0.1:1/0?ssl_ca_certs=/nowhere",
            "unix:///nowhere",
        ):
            with self.subTest(url=url):
                said = await self.refused("--port=0", f"--redis={url}")
                self.assertIn("--redis: ", said)
                self.assertNotIn("hunter2", said)

    @tornado.testing.gen_test
    async def test_a_secret_that_cannot_be_read_is_named(self) -> None:
        self.data.mkdir()
        secret = self.data / "secret"
        for make in (lambda: secret.write_bytes(b"\xff" * 64), secret.mkdir):
            make()
            said = await self.refused("--port=0")
            self.assertIn(str(secret), said)
            self.assertIn("remove", said)
            if secret.is_file():
                secret.unlink()

    @tornado.testing.gen_test
    async def test_a_short_secret_is_refused(self) -> None:
        self.data.mkdir()
        (self.data / "secret").write_text("changeme")
        said = await self.refused("--port=0")
        self.assertIn(str(self.data / "secret"), said)
        self.assertIn("remove the file", said)
        self.assertNotIn("changeme", said)


class StopTest(ProcessCase):
    @tornado.testing.gen_test
    async def test_sockets_are_told_and_everything_is_there_after_the_next_start(self) -> None:
        process = await self.start()
        anna, bob = Person(self, "anna"), Person(self, "bob")
        await anna.register("Anna")
        await bob.register("Bob")
        conv = await anna.group()
        await bob.join(conv)
        lines = [await anna.connect(), await bob.connect()]
        await lines[0].send(conv, "see you after the restart")
        await lines[1].receive("message")
        await self.shut_down(process)
        self.assertEqual([await line.closed() for line in lines], [1001, 1001])

        await self.start()
        bob.url = self.get_url("")  # another port
        _, history = await bob.call("GET", f"/api/conversations/{conv}/events")
        self.assertEqual(history["events"][-1]["text"], "see you after the restart")
        line = await bob.connect()  # with the session that he had
        self.assertEqual(line.hello["heads"], {str(conv): 3})
        self.assertEqual((await Person(self, "anna").login()).code, 303)

    @tornado.testing.gen_test
    async def test_a_proxy_is_told_first_and_who_is_here_goes_on_until_the_goodbye(self) -> None:
        process = await self.start("--drain=60", "--request-burst=10000")
        anna = Person(self, "anna")
        await anna.register()
        conv = await anna.group()
        line = await anna.connect()
        self.assertEqual((await anna.fetch("/readyz")).code, 200)
        process.send_signal(signal.SIGTERM)
        while (await anna.fetch("/readyz")).code == 200:
            pass
        response = await anna.fetch("/readyz")
        self.assertEqual((response.code, response.body), (503, b"draining\n"))
        self.assertEqual((await anna.fetch("/healthz")).code, 200)
        await line.send(conv, "while it drains")
        self.assertEqual((await line.receive("ack"))["seq"], 2)
        self.assertEqual(await self.shut_down(process), "")  # who asks twice is in a hurry
        self.assertEqual(await line.closed(), 1001)

    @tornado.testing.gen_test
    async def test_ctrl_c_is_a_clean_stop_and_so_is_to_ask_twice(self) -> None:
        for first, second in (
            (signal.SIGINT, signal.SIGINT),
            (signal.SIGTERM, signal.SIGINT),
            (signal.SIGHUP, signal.SIGHUP),
            (signal.SIGHUP, signal.SIGTERM),
        ):
            process = await self.start()
            process.send_signal(first)
            process.send_signal(second)
            out, said = await process.communicate()
            self.assertEqual((process.returncode, out, said), (0, b"", b""))

    @tornado.testing.gen_test
    async def test_a_lost_terminal_is_a_clean_stop(self) -> None:
        process = await self.start()
        anna = Person(self, "anna")
        await anna.register()
        line = await anna.connect()
        process.send_signal(signal.SIGHUP)
        self.assertEqual(await line.closed(), 1001)
        out, said = await process.communicate()
        self.assertEqual((process.returncode, out, said), (0, b"", b""))

    @tornado.testing.gen_test
    async def test_under_nohup_a_lost_terminal_changes_nothing(self) -> None:
        ignore = functools.partial(signal.signal, signal.SIGHUP, signal.SIG_IGN)
        process = await self.start(before=ignore)
        process.send_signal(signal.SIGHUP)
        self.assertEqual((await Person(self, "anna").fetch("/healthz")).code, 200)
        await self.shut_down(process)

    @tornado.testing.gen_test
    async def test_a_stop_during_the_start_is_clean(self) -> None:
        for number in signal.SIGTERM, signal.SIGINT, signal.SIGHUP:
            with self.subTest(signal=number), socket.create_server(("127.0.0.1", 0)) as silent:
                silent.setblocking(False)  # a Redis that takes the connection and says nothing
                redis = f"--redis=redis://127.0.0.1:{silent.getsockname()[1]}/0"
                process = await self.spawn("--port=0", "--logging=error", redis)
                loop = asyncio.get_running_loop()
                connection, _ = await loop.sock_accept(silent)
                process.send_signal(number)
                out, said = await process.communicate()
                connection.close()
                self.assertEqual((process.returncode, out, said), (0, b"", b""))

    @tornado.testing.gen_test
    async def test_messages_under_way_at_a_stop_or_a_kill_land_once(self) -> None:
        limits = "--send-burst=10000"
        process = await self.start(limits)
        anna = Person(self, "anna")
        await anna.register()
        conv = await anna.group()
        cids = [str(uuid.uuid4()) for _ in range(300)]
        texts = {cid: f"message {number}" for number, cid in enumerate(cids)}
        seqs: dict[str, int] = {}
        for ask in signal.SIGTERM, signal.SIGKILL, None:
            line = await anna.connect()
            for cid in cids:  # all of them again: the client is in doubt about each
                await line.send(conv, texts[cid], cid)
            acknowledged: set[str] = set()
            while len(acknowledged) < (100 if ask else 300):
                event = await line.receive()
                if event["type"] == "ack":
                    acknowledged.add(event["cid"])
                    self.assertEqual(seqs.setdefault(event["cid"], event["seq"]), event["seq"])
                elif event["type"] == "error":  # what was killed may hold its locks for a while
                    self.assertEqual(event["code"], "unavailable", event)
                    await line.send(conv, texts[event["cid"]], event["cid"])
            if ask:
                process.send_signal(ask)
                await line.closed()
                await process.communicate()
                process = await self.start(limits)
                anna.url = self.get_url("")  # another port
        self.assertEqual(sorted(seqs.values()), list(range(2, 302)))
        stored: list[dict[str, object]] = []
        while page := (
            await anna.call("GET", f"/api/conversations/{conv}/events?after={len(stored)}")
        )[1]["events"]:
            stored += page
        self.assertEqual([event["seq"] for event in stored], list(range(1, 302)))
        self.assertEqual({event.get("text") for event in stored[1:]}, set(texts.values()))

    @tornado.testing.gen_test
    async def test_the_log_holds_no_secrets(self) -> None:
        process = await self.start("--logging=debug")
        anna = Person(self, "anna")
        hidden = await anna.hidden_fields("/register")
        challenge = self.answer(hidden["captcha_id"])
        await anna.register(password=PASSWORD + "!", confirmation=PASSWORD)
        await anna.register()
        conv = await anna.group()
        line = await anna.connect()
        await line.send(conv, "a confidential message")
        await line.receive("message")
        await anna.call("POST", "/api/groups", {"title": ""})
        await anna.fetch("/%0d%0aINJECTED")
        said = await self.shut_down(process)
        self.assertIn("/register", said)  # it did log
        session = next(v for name, v in anna.cookies.items() if name.startswith("session-"))
        for secret in (
            PASSWORD,
            "confidential",
            session,
            session.split("|")[-2],
            (self.data / "secret").read_text(),
            challenge,
        ):
            self.assertNotIn(secret, said)
        self.assertFalse([line for line in said.splitlines() if line.startswith("INJECTED")])
