"""Lesson 07: PostgreSQL, Redis, MongoDB, the health of all; servers that are away (C241-C248)."""

import asyncio
import collections
import contextlib
import hashlib
import importlib
import importlib.util
import json
import os
import subprocess
import sys
import urllib.request
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import TestCase

import bson
import psycopg
import pymongo
import pytest
import redis.asyncio
import tornado.web
from tornado.httpclient import HTTPResponse
from tornado.testing import AsyncHTTPTestCase, AsyncTestCase, gen_test

from course.ports import free_port
from tests.lessons import postgresql_cluster
from tests.support import lesson_databases as databases
from tests.support import mongodb_stand_in
from tests.support.lesson_case import import_script, json_of
from tests.support.lesson_pages import LESSONS_FOLDER, ROOT
from tests.support.script_server import serving
from tests.support.services import require

health = import_script("07_databases", "health")
mongo_records = import_script("07_databases", "mongo_records")
postgres_todo = import_script("07_databases", "postgres_todo")
redis_notes = import_script("07_databases", "redis_notes")

PATIENCE = 60  # seconds until a wait that should have ended fails the test


@pytest.mark.service("postgresql")
class TodoTest(AsyncHTTPTestCase):
    def get_app(self) -> tornado.web.Application:
        self.url = self.enterContext(databases.postgresql())
        return postgres_todo.make_app(self.url)

    def setUp(self) -> None:
        super().setUp()
        self.kept_as = self.io_loop.run_sync(lambda: postgres_todo.prepare(self.url))

    def test_a_task_is_added_and_ticked_off(self) -> None:
        """C243: psycopg's AsyncConnection takes the place of aiopg."""
        added = self.fetch("/", method="POST", body="task=Miller's+roof")
        self.assertEqual((added.code, json_of(added)), (201, {"id": 1}))
        self.assertEqual(self.fetch("/done/1", method="POST", body="").code, 204)
        self.assertEqual(self.fetch("/done/2", method="POST", body="").code, 404)
        tasks = [{"id": 1, "task": "Miller's roof", "done": True}]
        self.assertEqual(json_of(self.fetch("/")), {"tasks": tasks})

    def test_new_passwords_are_kept_as_scram(self) -> None:
        """C242: unless somebody has changed it."""
        self.assertEqual(self.kept_as, "scram-sha-256")

    @gen_test
    async def test_an_exception_undoes_the_transaction(self) -> None:
        """C243."""
        with contextlib.suppress(ZeroDivisionError):
            async with await postgres_todo.connect(self.url) as db:
                await db.execute("INSERT INTO todo (task) VALUES ('never')")
                raise ZeroDivisionError
        response = await self.http_client.fetch(self.get_url("/"))
        self.assertEqual(json_of(response), {"tasks": []})


@pytest.fixture(scope="module")
def guarded() -> Iterator[str]:
    """The address of a server that asks for passwords: one user kept as scram, one as md5."""
    with postgresql_cluster.running("lighthouse", "local all all scram-sha-256\n") as url:
        with psycopg.connect(url, password="lighthouse", autocommit=True) as db:
            db.execute("CREATE ROLE modern LOGIN PASSWORD 'windmill'")
            db.execute("SET password_encryption = 'md5'")
            db.execute("CREATE ROLE old LOGIN PASSWORD 'windmill'")
        yield url


def md5_of(user: str, password: str) -> str:
    return "md5" + hashlib.md5((password + user).encode()).hexdigest()


def refusal(url: str, user: str, password: str) -> str:
    """What the server says, or nothing when it lets them in."""
    try:
        psycopg.connect(url, user=user, password=password, connect_timeout=PATIENCE).close()
    except psycopg.OperationalError as error:
        return str(error)
    return ""


@pytest.mark.skipif(sys.platform == "win32", reason="a cluster on a socket in a folder")
@pytest.mark.service("postgresql")
class TestPasswords:
    def test_the_hash_is_not_the_password(self, guarded: str) -> None:
        """C241: what some tutorials put into DATABASE_URL is refused, the password is not."""
        assert not refusal(guarded, "modern", "windmill")
        refused = refusal(guarded, "modern", md5_of("modern", "windmill"))
        assert "password authentication failed" in refused

    def test_scram_over_a_local_socket_and_what_md5_leaves(self, guarded: str) -> None:
        """C242: a rule that says scram lets in who is kept as scram, and nobody kept as md5."""
        kept = "SELECT rolpassword FROM pg_authid WHERE rolname = %s"
        with psycopg.connect(guarded, password="lighthouse") as db:
            scram = db.execute(kept, ["modern"]).fetchone()
            md5 = db.execute(kept, ["old"]).fetchone()
        assert scram and scram[0].startswith("SCRAM-SHA-256$4096:")
        assert md5 == (md5_of("old", "windmill"),)
        assert "password authentication failed" in refusal(guarded, "old", "windmill")

    def test_the_hash_is_no_password_under_md5_either(self, guarded: str) -> None:
        """C241: under a rule that says md5, the server still wants the password itself."""
        with psycopg.connect(guarded, password="lighthouse", autocommit=True) as db:
            [file] = db.execute("SHOW hba_file").fetchone() or [""]
            with open(file, "r+", encoding="utf-8") as rules:  # noqa: PTH123
                before = rules.read()
                rules.seek(0)
                rules.write("local all owner scram-sha-256\nlocal all all md5\n")
                rules.truncate()
            try:
                db.execute("SELECT pg_reload_conf()")
                # The reload is a signal: wait until the rules that new connections meet are these.
                seen = "SELECT count(*) FROM pg_hba_file_rules WHERE auth_method = 'md5'"
                assert db.execute(seen).fetchone() == (1,)
                for _ in range(1000):
                    if not refusal(guarded, "old", "windmill"):
                        break
                assert not refusal(guarded, "old", "windmill")
                assert not refusal(guarded, "modern", "windmill")  # md5 there means scram too
                refused = refusal(guarded, "old", md5_of("old", "windmill"))
                assert "password authentication failed" in refused
            finally:
                with open(file, "w", encoding="utf-8") as rules:  # noqa: PTH123
                    rules.write(before)
                db.execute("SELECT pg_reload_conf()")


class GoneTest(TestCase):
    def test_the_old_clients_are_not_there(self) -> None:
        """C243, C244, C246: redis.asyncio and AsyncMongoClient have taken their place."""
        for name in ("aioredis", "motor", "aiopg"):
            self.assertIsNone(importlib.util.find_spec(name), name)
        with self.assertRaisesRegex(ImportError, "No module named 'aioredis'"):
            importlib.import_module("aioredis")
        self.assertTrue(callable(redis.asyncio.from_url))

    def test_the_printed_handler_is_no_python(self) -> None:
        """C247: `await.self` in a sample that is much copied."""
        with self.assertRaisesRegex(SyntaxError, "invalid syntax"):
            compile("async def get(self): record = await.self.settings", "sample", "exec")


@pytest.mark.service("redis")
class NotesTest(AsyncHTTPTestCase):
    def get_app(self) -> tornado.web.Application:
        self.store = redis.asyncio.from_url(require("redis"))
        self.prefix = f"learn_tornado_{uuid.uuid4().hex}"
        return redis_notes.make_app(self.store, self.prefix)

    def tearDown(self) -> None:
        self.io_loop.run_sync(self.clear)
        super().tearDown()

    async def clear(self) -> None:
        async for key in self.store.scan_iter(f"{self.prefix}:*"):
            await self.store.delete(key)
        await self.store.aclose()

    def post(self, path: str, body: bytes) -> HTTPResponse:
        return self.fetch(path, method="POST", body=body)

    def test_a_note_comes_back_byte_by_byte(self) -> None:
        """C247: get or 404; set, 204."""
        self.assertEqual(self.fetch("/note/a").code, 404)
        for body in (b"\xff\x00milk", b""):
            answer = self.post("/note/a", body)
            self.assertEqual((answer.code, answer.body), (204, b""))
            answer = self.fetch("/note/a")
            self.assertEqual((answer.code, answer.body), (200, body))

    @gen_test
    async def test_a_note_vanishes_when_its_time_is_over(self) -> None:
        """C246: what is set with ex has so many seconds to live."""
        url = self.get_url("/note/brief?seconds=60")
        await self.http_client.fetch(url, method="POST", body="x")
        left = await self.store.ttl(f"{self.prefix}:brief")
        self.assertTrue(0 < left <= 60, left)
        await self.store.pexpire(f"{self.prefix}:brief", 0)  # the minute is over
        answer = await self.http_client.fetch(self.get_url("/note/brief"), raise_error=False)
        self.assertEqual(answer.code, 404)

    def test_what_is_too_much_is_refused(self) -> None:
        for query in ("seconds=0", "seconds=soon", "seconds=86401", "seconds=-1"):
            self.assertEqual(self.post(f"/note/a?{query}", b"x").code, 400, query)
        self.assertEqual(self.post("/note/a", bytes(redis_notes.MOST + 1)).code, 413)
        self.assertEqual(self.fetch("/note/a").code, 404)

    @gen_test
    async def test_every_process_hears_the_news(self) -> None:
        """C246: two followers, as two processes would have them; one that came late hears none."""
        heard = [Heard(), Heard()]
        async with redis.asyncio.from_url(require("redis")) as other:
            following = [
                asyncio.create_task(redis_notes.follow(store, self.prefix, news))
                for store, news in zip((self.store, other), heard, strict=True)
            ]
            subscribed = 0
            while subscribed < 2:
                [(_, subscribed)] = await self.store.pubsub_numsub(self.prefix)
            await self.http_client.fetch(self.get_url("/note/tea"), method="POST", body="x")
            for news in heard:
                await asyncio.wait_for(news.came.wait(), PATIENCE)
                self.assertEqual(list(news), ["tea"])
            for task in following:
                task.cancel()
            await asyncio.gather(*following, return_exceptions=True)

    @gen_test
    async def test_the_news_go_on_after_a_lost_connection(self) -> None:
        """C246: it is opened again, by redis or by follow()."""
        news = Heard()
        async with redis.asyncio.from_url(require("redis"), client_name=self.prefix) as other:
            following = asyncio.create_task(redis_notes.follow(other, self.prefix, news))
            await self.store.client_kill_filter(_id=await self.follower())
            while not news:  # what is published before it is back is lost
                await self.store.publish(self.prefix, "tea")
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)

    @gen_test
    async def test_whoever_follows_can_be_stopped_at_any_moment(self) -> None:
        """C246: while the connection is made too, when redis swallows a cancellation."""
        for turns in range(12):
            async with redis.asyncio.from_url(require("redis")) as other:
                following = asyncio.create_task(redis_notes.follow(other, self.prefix, Heard()))
                for _ in range(turns):
                    await asyncio.sleep(0)
                following.cancel()
                _, left = await asyncio.wait({following}, timeout=PATIENCE)
                self.assertFalse(left, f"cancelled in turn {turns} of the loop, and still running")

    async def follower(self) -> str:
        """The number of the connection on which follow() has subscribed, as soon as it has."""
        while True:
            for client in await self.store.client_list(_type="pubsub"):
                if client["name"] == self.prefix and client["sub"] == "1":
                    return client["id"]

    def test_the_page_and_the_news(self) -> None:
        self._app.settings["news"].append("tea")
        self.assertEqual(json_of(self.fetch("/news")), {"news": ["tea"]})
        self.assertEqual(self.fetch("/").code, 200)


class Heard(collections.deque[str]):
    def __init__(self) -> None:
        super().__init__()
        self.came = asyncio.Event()

    def append(self, name: str) -> None:
        super().append(name)
        self.came.set()


class RecordsTest(AsyncHTTPTestCase):
    """The real client, and a server: the one that MONGODB_URI names, or a stand-in."""

    def get_app(self) -> tornado.web.Application:
        uri = self.enterContext(mongodb_stand_in.address())
        self.client: pymongo.AsyncMongoClient[dict[str, Any]] = pymongo.AsyncMongoClient(
            uri, serverSelectionTimeoutMS=PATIENCE * 1000
        )
        database = self.client.get_default_database("learn_tornado")
        self.records = database[databases.own_name()]
        return mongo_records.make_app(self.records)

    def tearDown(self) -> None:
        self.io_loop.run_sync(self.clear)
        super().tearDown()

    async def clear(self) -> None:
        await self.records.drop()
        await self.client.close()

    def post(self, name: str, body: str) -> HTTPResponse:
        return self.fetch(f"/record/{name}", method="POST", body=body)

    def test_a_record_is_found_or_404(self) -> None:
        """C245: what find_one gives is a document, or None."""
        self.assertEqual(self.fetch("/record/a").code, 404)
        answer = self.post("a", '{"beds": [2, 1], "sea": true}')
        self.assertEqual((answer.code, answer.body), (204, b""))
        record = {"name": "a", "content": {"beds": [2, 1], "sea": True}}
        self.assertEqual(json_of(self.fetch("/record/a")), record)
        self.assertEqual(self.fetch("/record/b").code, 404)

    def test_a_second_post_replaces_the_first(self) -> None:
        """C244, C245: replace_one with upsert adds once."""
        self.post("a", "1")
        self.post("a", "[]")
        self.assertEqual(json_of(self.fetch("/record/a"))["content"], [])

    def test_what_is_no_json_is_400(self) -> None:
        for body in ("{", "", "[" * 100_000):
            self.assertEqual(self.post("a", body).code, 400)
        self.assertEqual(self.fetch("/record/a").code, 404)

    def test_a_database_has_no_truth_value(self) -> None:
        """C245: `if db` raises, and `is None` is what was meant; an _id is no JSON."""
        message = "do not implement truth value testing or bool()"
        for thing in (self.records, self.records.database):
            with self.assertRaisesRegex(NotImplementedError, "truth value testing"):
                bool(thing)
            try:
                bool(thing)
            except NotImplementedError as error:
                self.assertIn(message, str(error))
        with self.assertRaisesRegex(TypeError, "Object of type ObjectId is not JSON serializable"):
            json.dumps({"_id": bson.ObjectId()})


if named := os.environ.get("MONGODB_URI"):

    class RealMongoTest(AsyncTestCase):
        """Collected only where there is a server; RecordsTest runs on it too."""

        @gen_test
        async def test_the_server_is_a_mongodb(self) -> None:
            """C244."""
            client: pymongo.AsyncMongoClient[dict[str, Any]]
            async with pymongo.AsyncMongoClient(named) as client:
                info = await client.server_info()
            self.assertIn("version", info)


class HealthTest(AsyncHTTPTestCase):
    def get_app(self) -> tornado.web.Application:
        self.checks: dict[str, Any] = {}
        return health.make_app(self.checks)

    async def up(self) -> bool:
        return True

    async def down(self) -> None:
        raise ConnectionRefusedError("secret.example:6379")

    def expect(self, code: int, **states: str) -> None:
        answer = self.fetch("/health")
        self.assertEqual((answer.code, json_of(answer)), (code, states))

    def test_all_up_is_200(self) -> None:
        """C248."""
        self.checks |= {"redis": self.up, "mysql": self.up}
        self.expect(200, redis="up", mysql="up")
        self.assertIn("All stores are up", self.fetch("/").body.decode())

    def test_one_down_is_503_and_named(self) -> None:
        """C248: its details are for the log."""
        self.checks |= {"redis": self.down, "mysql": self.up}
        with self.assertLogs() as log:
            self.expect(503, redis="down", mysql="up")
        self.assertIn("redis is down: ConnectionRefusedError secret.example", log.output[0])
        page = self.fetch("/").body.decode()
        self.assertIn("A store is down", page)
        self.assertNotIn("secret.example", page)

    @gen_test
    async def test_all_are_asked_at_once(self) -> None:
        """C248: each answers only when all have been asked, so in a row none would."""
        together = asyncio.Barrier(3)
        checks = dict.fromkeys(["redis", "mysql", "mongodb"], together.wait)
        found = await health.states(checks, PATIENCE)
        self.assertEqual(found, dict.fromkeys(checks, True))

    @gen_test
    async def test_a_store_that_hangs_is_down(self) -> None:
        """C248: the others are up all the same."""
        found = await health.states({"redis": asyncio.Event().wait, "mysql": self.up}, 0.05)
        self.assertEqual(found, {"redis": False, "mysql": True})


@pytest.mark.service("mariadb", "postgresql", "redis")
def test_real_stores_are_up_until_one_is_not() -> None:
    """C248: MariaDB in a thread, PostgreSQL, Redis and MongoDB awaited, in one script."""
    from tests.support.script_server import serving

    nobody = free_port(0)
    stores = [
        f"--database={require('mariadb')}",
        f"--postgresql={require('postgresql').replace('+psycopg', '')}",
    ]
    with mongodb_stand_in.address() as uri:
        for address, status in ((require("redis"), 200), (f"redis://127.0.0.1:{nobody}", 503)):
            options = [*stores, f"--mongodb={uri}", f"--redis={address}"]
            with serving(LESSONS_FOLDER / "07_databases/health.py", *options) as server:
                answer = subprocess.run(
                    [sys.executable, "-c", ASK, f"{server.url}/health"],
                    capture_output=True,
                    text=True,
                    check=True,
                ).stdout
            redis_is = "up" if status == 200 else "down"
            expected = dict.fromkeys(["database", "postgresql", "redis", "mongodb"], "up")
            assert json.loads(answer) == [status, expected | {"redis": redis_is}]


ASK = """
import json, sys, urllib.error, urllib.request
try:
    answer = urllib.request.urlopen(sys.argv[1], timeout=30)
except urllib.error.HTTPError as error:
    answer = error
print(json.dumps([answer.status, json.loads(answer.read())]))
"""

MISSING = {
    "app --database=mysql+pymysql://ada:secret@127.0.0.1:{port}/houses": "MariaDB or MySQL",
    "core --database=postgresql+psycopg://ada:secret@127.0.0.1:{port}/houses": "PostgreSQL",
    "postgres_todo --database=postgresql://ada:secret@127.0.0.1:{port}/todo": "PostgreSQL",
    "redis_notes --redis=redis://:secret@127.0.0.1:{port}": "Redis",
    "mongo_records --mongodb=mongodb://ada:secret@127.0.0.1:{port}/records": "MongoDB",
}


@pytest.mark.parametrize("command", MISSING, ids=lambda command: command.split()[0])
def test_a_missing_server_is_told_and_the_script_exits_with_2(command: str) -> None:
    """Which server, where it was looked for, how to start one; and no password."""
    port = free_port(0)
    name, option = command.format(port=port).split()
    file = LESSONS_FOLDER / "07_databases" / f"{name}.py"
    ended = subprocess.run(
        [sys.executable, file, option], capture_output=True, text=True, cwd=ROOT, timeout=60
    )
    assert ended.returncode == 2, ended.stderr
    first, *how = ended.stderr.splitlines()
    said = "that lets us in. Start one, or name another:"
    assert first == f"No {MISSING[command]} server at 127.0.0.1:{port} {said}"
    pip = ["pip"] if MISSING[command] == "MongoDB" else []
    labels = ["Debian", "container", *pip, "elsewhere", "because"]
    assert [line.split()[0] for line in how] == labels
    assert "docker run" in how[1]
    assert option.partition("=")[0] in how[-2]
    assert ("secantusd-py" in ended.stderr) == bool(pip)
    assert "secret" not in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("name", ["app", "core", "sharing"])
def test_the_folder_for_temporary_files_may_have_any_name(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "50%41 of what?#1 é"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    file = LESSONS_FOLDER / "07_databases" / f"{name}.py"
    with serving(file, new_python=True) as server:
        if name == "sharing":  # it makes the file when it is asked
            with urllib.request.urlopen(f"{server.url}/own", timeout=30) as response:
                assert response.status == 200
        assert [path.suffix for path in folder.glob("*/*.db")] == [".db"]
