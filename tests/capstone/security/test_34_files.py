"""Files are private whatever the umask, and nothing is acknowledged into a file that has gone."""

import contextlib
import functools
import json
import os
import shutil
import sqlite3
import stat
import tempfile
import unittest
from collections.abc import Callable, Iterator
from pathlib import Path
from unittest import mock

import tornado.testing

from capstone_chat import urls
from capstone_chat.app import make_app
from capstone_chat.options import OptionError, Options, load_or_create_secret
from capstone_chat.storage import engines, files
from tests.capstone.chat_case import Person
from tests.capstone.socket_case import SocketCase
from tests.capstone.test_admin import AdminCase, start
from tests.capstone.test_start import ProcessCase

LOOSE_AND_STRICT = 0o000, 0o022, 0o077, 0o777


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@contextlib.contextmanager
def umask(value: int) -> Iterator[None]:
    before = os.umask(value)
    try:
        yield
    finally:
        os.umask(before)


class RunningTest(ProcessCase):
    only_sqlite = True

    @tornado.testing.gen_test
    async def test_all_files_of_a_running_chat_are_private_with_an_umask_of_zero(self) -> None:
        self.data = self.data / "deep" / "data"
        with umask(0):
            process = await self.start()
            place = [f"--data={self.data}"]
            self.assertEqual((await start("backup", str(self.data / "copy"), *place))[0], 0)
        expected = {"secret", "chat.db", "chat.db-wal", "chat.db-shm", "copy"}
        found = {path.name: mode(path) for path in self.data.iterdir()}
        self.assertEqual(found, dict.fromkeys(expected, 0o600))
        for folder in self.data, self.data.parent, self.data.parent.parent:
            self.assertEqual(mode(folder), 0o700)
        await self.shut_down(process)

    @tornado.testing.gen_test
    async def test_files_that_were_open_to_others_are_corrected_at_the_next_start(self) -> None:
        await self.shut_down(await self.start())
        self.data.chmod(0o777)
        for path in self.data.iterdir():
            path.chmod(0o666)
        for name in "chat.db-wal", "chat.db-shm", "chat.db-journal", "secret.0123abcd":
            (self.data / name).touch()
            (self.data / name).chmod(0o644)
        process = await self.start()
        self.assertEqual(mode(self.data), 0o700)
        self.assertEqual({mode(path) for path in self.data.iterdir()}, {0o600})
        await self.shut_down(process)


class StormTest(ProcessCase):
    only_sqlite = True

    @tornado.testing.gen_test
    async def test_a_chat_without_its_file_logs_it_once_and_not_with_each_message(self) -> None:
        process = await self.start("--send-burst=1000")
        anna = Person(self, "anna")
        await anna.register()
        conv, line = await anna.group(), await anna.connect()
        shutil.rmtree(self.data)
        for _ in range(50):
            await line.send(conv, "into nowhere")
            self.assertEqual((await line.receive())["code"], "unavailable")
            self.assertEqual((await anna.call("GET", "/api/state"))[0], 503)
        said = [
            json.loads(text)["message"] for text in (await self.shut_down(process)).splitlines()
        ]
        self.assertEqual(len([text for text in said if text.startswith(str(self.data))]), 1, said)
        self.assertEqual(len(said), len(set(said)), said)
        self.assertFalse(self.data.exists())


@unittest.skipIf(os.name == "nt", "Windows has no modes")
class FolderTest(unittest.TestCase):
    def setUp(self) -> None:
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))

    def existing(self, folder_mode: int, *names: str) -> Path:
        folder = self.folder / "data"
        folder.mkdir()
        folder.chmod(folder_mode)
        for name in names:
            (folder / name).write_text("x" * 64)
            (folder / name).chmod(0o644)
        return folder

    def test_it_and_its_parents_are_private_whatever_the_umask(self) -> None:
        for value in LOOSE_AND_STRICT:
            with self.subTest(umask=oct(value)), umask(value):
                data = self.folder / f"{value}" / "deep" / "data"
                files.prepare_data_folder(data)
                load_or_create_secret(data)
                files.create_private(data / "chat.db")
                self.assertEqual({mode(data), mode(data.parent), mode(data.parent.parent)}, {0o700})
                self.assertEqual({mode(data / "secret"), mode(data / "chat.db")}, {0o600})

    def test_a_folder_of_the_chats_files_alone_becomes_private(self) -> None:
        for names in (), ("secret", "chat.db"), ("chat.db-wal",):
            with self.subTest(names=names):
                data = self.existing(0o777, *names)
                files.prepare_data_folder(data)
                self.assertEqual(mode(data), 0o700)
                self.assertEqual(
                    {mode(path) for path in data.iterdir()}, {0o600} if names else set()
                )
                shutil.rmtree(data)

    def test_a_folder_that_holds_other_things_keeps_its_mode_and_theirs(self) -> None:
        data = self.existing(0o755, "secret", "chat.db", "diary.txt")
        files.prepare_data_folder(data)
        self.assertEqual(mode(data), 0o755)
        self.assertEqual(mode(data / "diary.txt"), 0o644)
        self.assertEqual({mode(data / "secret"), mode(data / "chat.db")}, {0o600})

    def test_a_home_directory_keeps_its_mode_even_when_it_is_empty(self) -> None:
        data = self.existing(0o755)
        with mock.patch.dict(os.environ, HOME=str(data)):
            files.prepare_data_folder(data)
        self.assertEqual(mode(data), 0o755)

    def test_a_folder_that_every_user_can_write_is_refused_and_not_changed(self) -> None:
        for folder_mode, names in (0o1777, ()), (0o777, ("diary.txt",)):
            with self.subTest(mode=oct(folder_mode)):
                data = self.existing(folder_mode, *names)
                with self.assertRaisesRegex(OptionError, "every user can write to .*--data=DIR"):
                    files.prepare_data_folder(data)
                self.assertEqual(mode(data), folder_mode)
                shutil.rmtree(data)

    def test_what_belongs_to_somebody_else_is_left_and_named_once(self) -> None:
        data = self.existing(0o750, "secret")
        with (
            mock.patch("os.geteuid", return_value=os.geteuid() + 1),
            self.assertLogs("capstone_chat.storage.files", "WARNING") as logs,
        ):
            files.prepare_data_folder(data)
        self.assertEqual((mode(data), mode(data / "secret")), (0o750, 0o644))
        self.assertEqual(len(logs.output), 2)
        self.assertIn("belongs to another user", logs.output[0])

    def test_what_belongs_to_somebody_else_and_everybody_can_write_is_refused(self) -> None:
        for loose in "folder", "secret":
            with (
                self.subTest(loose=loose),
                mock.patch("os.geteuid", return_value=os.geteuid() + 1),
                self.assertRaisesRegex(OptionError, "every user can write to"),
            ):
                data = self.existing(0o777 if loose == "folder" else 0o700, "secret")
                (data / "secret").chmod(0o666)
                files.prepare_data_folder(data)
            shutil.rmtree(self.folder / "data")

    def test_a_file_system_without_modes_is_named_and_used(self) -> None:
        data = self.existing(0o777, "secret")
        (data / "secret").chmod(0o777)
        for refusal in None, PermissionError(1, "Operation not permitted"):
            with (
                mock.patch.object(Path, "chmod", side_effect=refusal),
                self.assertLogs("capstone_chat.storage.files", "WARNING") as logs,
            ):
                files.prepare_data_folder(data)
            self.assertEqual(len(logs.output), 2)
            self.assertIn("keeps no modes", logs.output[0])

    def test_a_file_system_without_links_gets_a_secret(self) -> None:
        data = self.existing(0o700)
        with mock.patch.object(Path, "hardlink_to", side_effect=PermissionError(1, "no links")):
            secret = load_or_create_secret(data)
        self.assertEqual(load_or_create_secret(data), secret)
        self.assertEqual([path.name for path in data.iterdir()], ["secret"])

    def test_behind_a_link_the_folder_itself_becomes_private(self) -> None:
        data = self.existing(0o755, "chat.db")
        link = self.folder / "link"
        link.symlink_to(data)
        files.prepare_data_folder(link)
        self.assertEqual((mode(data), mode(data / "chat.db")), (0o700, 0o600))

    def test_a_database_elsewhere_becomes_private_and_its_folder_stays(self) -> None:
        place = self.existing(0o755, "other.db", "diary.txt")
        (place / "other.db").write_bytes(b"")
        for name in "other.db", "new.db":
            with umask(0):
                database = str(urls.sqlite_url(place / name))
                app = make_app(Options(data=str(self.folder / "own"), database=database))
            app.settings["chat"].database.engine.dispose()
            self.assertEqual(mode(place / name), 0o600)
        self.assertEqual((mode(place), mode(place / "diary.txt")), (0o755, 0o644))


class BackupTest(AdminCase):
    only_sqlite = True

    @tornado.testing.gen_test
    async def test_a_backup_is_private_whatever_the_umask(self) -> None:
        for value in 0o000, 0o277:
            copy = self.file.parent / f"copy{value}"
            with umask(value):
                code, _, said = await start("backup", str(copy), *self.place)
            self.assertEqual((code, said), (0, ""))
            self.assertEqual(mode(copy), 0o600)


class GoneTest(SocketCase):
    only_sqlite = True

    def path(self, suffix: str = "") -> Path:
        return self.data / f"chat.db{suffix}"

    async def readyz(self) -> tuple[int, str]:
        response = await self.anna.fetch("/readyz")
        return response.code, response.body.decode().strip()

    async def refused(self, move: Callable[[], object], reason: str) -> str:
        """Move something, and see that nothing is acknowledged; return the cid of a message."""
        line = await self.anna.connect()
        token = await self.anna.token()
        assert token
        with self.assertLogs("capstone_chat.storage.engines", "WARNING") as logs:
            move()
            cids = [await line.send(self.conv, "into nowhere") for _ in range(5)]
            for _ in cids:
                error = await line.receive()
                self.assertEqual((error["type"], error["code"]), ("error", "unavailable"))
                self.assertIn(error["cid"], cids)
            for method, path in (
                ("POST", "/api/groups"),
                ("GET", "/api/state"),
                ("PUT", "/api/contacts/2"),
            ):
                code, answer = await self.anna.call(method, path, {"title": "x", "blocked": True})
                self.assertEqual((code, answer["error"]["code"]), (503, "unavailable"))
            code, said = await self.readyz()
        self.assertEqual(code, 503)
        self.assertIn(reason, said)
        self.assertEqual(len(logs.output), 1, logs.output)
        self.assertIn(str(self.data), logs.output[0])
        return cids[-1]

    async def serves_again(self, cid: str) -> None:
        with self.assertLogs("capstone_chat.storage.engines", "WARNING") as logs:
            self.assertEqual(await self.readyz(), (200, "ready"))
        self.assertIn("back at its path", logs.output[0])
        self.assertNotIn(cid, [row.cid for row in await self.stored()])  # it was not even begun
        line = await self.anna.connect()
        await line.send(self.conv, "into nowhere", cid)
        await line.receive("ack")
        self.assertEqual([row.cid for row in await self.stored()].count(cid), 1)

    @tornado.testing.gen_test
    async def test_a_folder_that_was_renamed_and_comes_back(self) -> None:
        away = self.data.with_name(self.data.name + "-away")
        cid = await self.refused(lambda: self.data.rename(away), "gone")
        self.assertFalse(self.data.exists())
        away.rename(self.data)
        await self.serves_again(cid)

    @tornado.testing.gen_test
    async def test_a_file_that_was_renamed_and_comes_back(self) -> None:
        for suffix in "", "-wal", "-shm":
            with self.subTest(suffix=suffix):
                path, away = self.path(suffix), self.data / "away"
                cid = await self.refused(functools.partial(path.rename, away), "gone")
                away.rename(path)
                await self.serves_again(cid)

    @tornado.testing.gen_test
    async def test_a_folder_that_was_removed(self) -> None:
        await self.refused(lambda: shutil.rmtree(self.data), "gone")
        self.assertFalse(self.data.exists())  # a new and empty database would hide the loss

    @tornado.testing.gen_test
    async def test_a_backup_that_was_moved_over_the_file_is_used_after_a_restart(self) -> None:
        backup = self.data / "backup"
        with contextlib.closing(sqlite3.connect(self.path())) as source:
            source.execute("VACUUM INTO ?", (str(backup),))
        kept = backup.read_bytes()
        cid = await self.refused(lambda: backup.replace(self.path()), "restart the chat")
        self.assertEqual(self.path().read_bytes(), kept)
        self.assertIn("another file", (await self.readyz())[1])
        self.restored([("member",), ("member",)], cid)

    @tornado.testing.gen_test
    async def test_a_backup_that_was_moved_over_the_file_of_a_silent_chat_stays_whole(self) -> None:
        line = await self.anna.connect()
        backup = self.data / "backup"
        with contextlib.closing(sqlite3.connect(self.path())) as source:
            source.execute("VACUUM INTO ?", (str(backup),))
        for _ in range(20):
            await line.send(self.conv, "not in the backup")
            await line.receive("ack")
        backup.replace(self.path())
        with self.assertLogs("capstone_chat.storage.engines", "ERROR"):
            self.close_connections()
        self.restored([("member",), ("member",)])

    def close_connections(self) -> None:
        """Close all connections to the file; the next use opens them again."""
        self.chat.database._write_connection.close()  # first: it goes back to the pool
        self.chat.database.engine.dispose()

    def restored(self, events: list[tuple[str]], cid: str = "") -> None:
        """See that the file at the path is whole and holds these events."""
        with contextlib.closing(sqlite3.connect(self.path())) as database:
            self.assertEqual(database.execute("PRAGMA integrity_check").fetchall(), [("ok",)])
            found = database.execute("SELECT type FROM events ORDER BY seq").fetchall()
            self.assertEqual(found, events)
            query = "SELECT * FROM events WHERE cid = ?"
            self.assertEqual(database.execute(query, (cid,)).fetchall(), [])

    @tornado.testing.gen_test
    async def test_a_file_that_goes_during_the_commit_is_not_acknowledged_into(self) -> None:
        line = await self.anna.connect()
        real = engines._Connection.commit

        def commit(connection: engines._Connection) -> None:
            if self.path().exists():
                self.path().rename(self.data / "away")
            real(connection)

        with (
            mock.patch.object(engines._Connection, "commit", commit),
            self.assertLogs("capstone_chat.storage.engines", "ERROR"),
        ):
            await line.send(self.conv, "too late")
            self.assertEqual((await line.receive())["code"], "unavailable")

    @tornado.testing.gen_test
    async def test_a_connection_more_opens_no_other_file(self) -> None:
        engine = self.chat.database.engine
        self.path().rename(self.data / "away")
        log = self.assertLogs("capstone_chat.storage.engines", "ERROR")
        with log, contextlib.ExitStack() as opened:
            with self.assertRaises(engines.DATABASE_ERRORS):
                for _ in range(10):
                    opened.enter_context(engine.connect())
            self.assertFalse(self.path().exists())
            self.path().write_bytes(b"")
            with self.assertRaises(engines.DATABASE_ERRORS):
                opened.enter_context(engine.connect())

    @tornado.testing.gen_test
    async def test_a_pool_without_connections_opens_the_journals_anew(self) -> None:
        self.close_connections()
        self.assertEqual((await self.anna.call("GET", "/api/state"))[0], 200)
        line = await self.anna.connect()
        await line.send(self.conv, "still here")
        await line.receive("ack")
