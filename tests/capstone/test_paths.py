"""The chat in folders with any name: its data, and its own files."""

import asyncio
import contextlib
import shutil
import sys
import tempfile
import unittest
from pathlib import Path

import sqlalchemy as sa
import tornado.testing

import capstone_chat
from capstone_chat import urls
from capstone_chat.app import make_app
from capstone_chat.options import parse
from capstone_chat.storage import engines, migrate
from tests.capstone.test_start import ProcessCase

SEPARATORS = '<>:"/\\|?*' if sys.platform == "win32" else "/"
"""The characters that a file name cannot contain."""

PRINTABLE = "".join(chr(code) for code in range(0x20, 0x7F) if chr(code) not in SEPARATORS)
"""All printable ASCII characters in one name."""

NAMES = [PRINTABLE, "é 中文 😀", "100%", "%(here)s", "a%20b", "what?uri=true#1", "file:chat", "-x"]
FILES = {"secret", "chat.db", "chat.db-wal", "chat.db-shm"}


class DataTest(unittest.TestCase):
    def setUp(self) -> None:
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))

    def test_the_data_is_in_the_folder_that_is_named_and_nowhere_else(self) -> None:
        for name in NAMES:
            with self.subTest(name=name):
                data = self.folder / name
                app = make_app(parse([f"--data={data}"]))
                try:
                    self.assertEqual({path.name for path in data.iterdir()}, FILES)
                finally:
                    asyncio.run(app.settings["chat"].close())
        self.assertEqual({path.name for path in self.folder.iterdir()}, set(NAMES))

    def test_the_url_of_a_file_leads_to_that_file(self) -> None:
        for name in NAMES:
            with self.subTest(name=name):
                file = self.folder / name
                for url in urls.sqlite_url(file), str(urls.sqlite_url(file)):
                    engine = engines.create_engine(url)
                    with engine.execution_options(writes=True).begin() as connection:
                        connection.execute(sa.text("CREATE TABLE IF NOT EXISTS found (x)"))
                    engine.dispose()
                fresh = sa.create_engine(urls.sqlite_url(file))
                self.assertEqual(sa.inspect(fresh).get_table_names(), ["found"])
                fresh.dispose()
        self.assertEqual({path.name for path in self.folder.iterdir()}, set(NAMES))


class PackageTest(ProcessCase):
    """The package itself, with migrations to run, is in a folder with a difficult name."""

    only_sqlite = True

    def setUp(self) -> None:
        super().setUp()
        self.data = self.data.parent / PRINTABLE / "data"
        self.folder = self.data.parent
        source = Path(capstone_chat.__file__).parent
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(source, self.folder / source.name, ignore=ignored)
        (self.folder / source.name / "static" / "here.svg").write_text("<svg/>")

    async def admin(self, *arguments: str) -> str:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "capstone_chat.admin", *arguments, f"--data={self.data}"),
            cwd=self.folder,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        out, _ = await process.communicate()
        self.assertEqual(process.returncode, 0, out.decode())
        return out.decode()

    @tornado.testing.gen_test(timeout=60)
    async def test_the_chat_starts_and_is_administered_there(self) -> None:
        process = await self.start(folder=self.folder)
        for path in "/login", "/readyz", "/static/here.svg":
            response = await self.http_client.fetch(self.get_url(path))
            self.assertEqual(response.code, 200)
        copy = self.folder / f"copy of {PRINTABLE}"
        self.assertIn("name", await self.admin("users"))
        await self.admin("backup", str(copy))
        await self.admin("purge")
        await self.shut_down(process)
        for file in copy, self.data / "chat.db":
            engine = sa.create_engine(urls.sqlite_url(file))
            with contextlib.closing(engine.connect()) as connection:
                revision = connection.scalar(sa.text("SELECT version_num FROM alembic_version"))
            engine.dispose()
            self.assertEqual(revision, migrate.REVISION)
