"""The chat on Windows, simulated: without fork, fcntl, resource, Unix signals and file modes."""

import asyncio
import contextlib
import io
import mimetypes
import os
import signal
import subprocess
import sys
import unittest
import unittest.mock
from pathlib import Path

import tornado.testing
from PIL import Image

from capstone_chat import handlers, logs, options, server
from capstone_chat.handlers.base import CONTENT_TYPES
from tests.capstone.chat_case import ChatCase, Person
from tests.capstone.test_admin import AdminCase
from tests.capstone.test_start import ROOT, ProcessCase

AS_ON_WINDOWS = str(Path(__file__).with_name("as_on_windows.py"))
STATIC = Path(handlers.__file__).parents[1] / "static"
NICKNAME = "中文 ё"


class StaticFilesTest(ChatCase):
    """Other programs change the types of files in the registry."""

    def setUp(self) -> None:
        super().setUp()
        self.addCleanup(mimetypes.init)
        for suffix in {path.suffix for path in STATIC.rglob("*.*")}:
            mimetypes.add_type("text/plain", suffix)

    @tornado.testing.gen_test
    async def test_the_types_of_the_chats_own_files_are_its_own(self) -> None:
        files = [path for path in STATIC.rglob("*") if path.is_file()]
        self.assertEqual({path.suffix for path in files}, set(CONTENT_TYPES))
        visitor = Person(self, "x")
        for path in files:
            with self.subTest(path=path.name):
                response = await visitor.fetch(f"/static/{path.relative_to(STATIC).as_posix()}")
                self.assertEqual(response.code, 200)
                self.assertEqual(response.headers["Content-Type"], CONTENT_TYPES[path.suffix])


class ConnectionsTest(unittest.TestCase):
    """Tornado watches the sockets with select(), which takes 512."""

    def test_there_are_no_more_connections_than_can_be_watched(self) -> None:
        with unittest.mock.patch.object(server, "resource", None):
            self.assertEqual(server.usable_connections(options.Options.connections), 472)
            self.assertEqual(server.usable_connections(100), 100)


class OutputTest(AdminCase):
    """Output that is redirected to a file or to another program is in a code page."""

    async def output_of(self, *arguments: str) -> str:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", *arguments),
            cwd=ROOT,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env=os.environ | {"PYTHONIOENCODING": "cp1252"},
        )
        out, _ = await process.communicate()
        self.assertEqual(process.returncode, 0, out)
        return out.decode("cp1252")

    @tornado.testing.gen_test
    async def test_what_the_code_page_lacks_is_escaped(self) -> None:
        await self.execute(
            "INSERT INTO users (id, name, name_key, nickname, password, created_at)"
            f" VALUES (1, 'anna', 'anna', '{NICKNAME}', 'x', 1700000000000)"
        )
        escaped = NICKNAME.encode("cp1252", "backslashreplace").decode("cp1252")
        out = await self.output_of("capstone_chat.admin", "users", *self.place)
        self.assertIn(escaped, out)
        self.assertIn("--port", await self.output_of("capstone_chat", "--help"))

    def test_another_stdout_is_left_alone(self) -> None:
        with unittest.mock.patch.object(sys, "stdout", io.StringIO()) as out:
            logs.escape_stdout()
            print(NICKNAME)
        self.assertEqual(out.getvalue(), f"{NICKNAME}\n")


def picture() -> bytes:
    """Return a PNG file."""
    file = io.BytesIO()
    Image.new("RGB", (8, 8)).save(file, "PNG")
    return file.getvalue()


class PictureTest(unittest.TestCase):
    def test_the_process_that_draws_does_without_limits_of_the_system(self) -> None:
        upload = picture()
        with subprocess.Popen(
            [sys.executable, AS_ON_WINDOWS, "capstone_chat.accounts.picture_worker"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        ) as process:
            assert process.stdin is not None and process.stdout is not None
            process.stdin.write(len(upload).to_bytes(8, "big") + upload)
            process.stdin.flush()  # it ends when this is closed
            drawn = process.stdout.read()
        self.assertEqual(process.returncode, 0)
        with Image.open(io.BytesIO(drawn)) as opened:
            self.assertEqual(opened.format, "WEBP")


class StartTest(ProcessCase):
    """A chat without what only other systems have."""

    only_sqlite = True
    program = (AS_ON_WINDOWS, "capstone_chat")

    @tornado.testing.gen_test(timeout=60)
    async def test_people_register_talk_and_change_their_picture(self) -> None:
        self.data.mkdir()
        self.data.chmod(0o777)  # as Windows says of every folder
        process = await self.start()
        response = await self.http_client.fetch(self.get_url("/static/js/main.js"))
        self.assertEqual(response.headers["Content-Type"], "text/javascript")
        anna = Person(self, "anna")
        await anna.register()
        conv = await anna.group()
        line = await anna.connect()
        await line.send(conv, "a window, opened")
        self.assertEqual((await line.receive("ack"))["seq"], 2)
        response = await anna.put_picture(picture())
        self.assertEqual(response.code, 200, response.body)
        self.assertEqual((await anna.fetch("/metrics")).code, 200)
        self.assertEqual(await self.shut_down(process), "")
        self.assertEqual(await line.closed(), 1001)

    @tornado.testing.gen_test
    async def test_ctrl_break_is_a_clean_stop(self) -> None:
        process = await self.start()
        process.send_signal(signal.SIGQUIT)  # plays SIGBREAK
        _, said = await process.communicate()
        self.assertEqual((process.returncode, said), (0, b""))

    @tornado.testing.gen_test
    async def test_more_connections_than_can_be_watched_do_no_harm(self) -> None:
        process = await self.start()
        with contextlib.ExitStack() as stack:
            for _ in range(600):
                _, writer = await asyncio.open_connection("localhost", self.port)
                stack.callback(writer.close)
            response = await self.http_client.fetch(self.get_url("/healthz"))
            self.assertEqual(response.code, 200)
        said = await self.shut_down(process)
        self.assertIn("more than 472 connections", said)
        self.assertEqual(said.count("\n"), 1)
