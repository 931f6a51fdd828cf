"""What operators see: health, metrics and log lines."""

import asyncio
import contextlib
import io
import json
import logging
import sys
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import sqlalchemy as sa
import tornado.iostream
import tornado.testing
from prometheus_client.parser import text_string_to_metric_families

from capstone_chat import logs
from tests.capstone.chat_case import PASSWORD, ChatCase, Person

ROOT = Path(__file__).parents[2]


class HealthTest(ChatCase):
    async def status(self, path: str) -> tuple[int, str]:
        response = await Person(self, "x").fetch(path)
        return response.code, response.body.decode().strip()

    @tornado.testing.gen_test
    async def test_a_chat_that_can_serve_is_alive_and_ready(self) -> None:
        self.assertEqual(await self.status("/healthz"), (200, "alive"))
        self.assertEqual(await self.status("/readyz"), (200, "ready"))

    @tornado.testing.gen_test
    async def test_without_a_database_it_is_alive_and_not_ready(self) -> None:
        gone = sa.exc.OperationalError("SELECT 1", {}, OSError("the database has gone"))
        with mock.patch.object(self.chat.database, "read", side_effect=gone):
            self.assertEqual(await self.status("/healthz"), (200, "alive"))
            self.assertEqual(await self.status("/readyz"), (503, "the database does not answer"))
        self.assertEqual(await self.status("/readyz"), (200, "ready"))

    @tornado.testing.gen_test
    async def test_a_database_that_hangs_is_not_waited_for(self) -> None:
        async def hang(_query: object) -> None:
            await asyncio.Event().wait()

        with (
            mock.patch.object(self.chat.database, "read", hang),
            mock.patch("capstone_chat.handlers.health.READINESS_TIMEOUT", 0.01),
        ):
            self.assertEqual((await self.status("/readyz"))[0], 503)

    @tornado.testing.gen_test
    async def test_while_draining_it_is_alive_and_not_ready(self) -> None:
        self.chat.hub.draining = True
        self.assertEqual(await self.status("/healthz"), (200, "alive"))
        self.assertEqual(await self.status("/readyz"), (503, "draining"))

    @tornado.testing.gen_test
    async def test_a_socket_that_opens_after_the_goodbye_is_told_as_well(self) -> None:
        anna = await self.person("anna")
        self.chat.hub.shutdown()
        self.assertEqual(await (await anna.open_socket()).closed(), 1001)

    @tornado.testing.gen_test
    async def test_a_database_that_fails_while_a_socket_opens_closes_it_with_1013(self) -> None:
        anna = await self.person("anna")
        gone = sa.exc.OperationalError("SELECT", {}, OSError("the database has gone"))
        with (
            mock.patch.object(self.chat.snapshots, "read", side_effect=gone),
            self.assertNoLogs("tornado.application"),
            self.assertLogs("capstone_chat.handlers.websocket", "ERROR"),
        ):
            self.assertEqual(await (await anna.open_socket()).closed(), 1013)
        await (await anna.connect()).heard()

    @tornado.testing.gen_test
    async def test_a_database_in_trouble_ends_no_socket(self) -> None:
        anna = await self.person("anna")
        conv = await anna.group()
        line = await anna.connect()
        gone = sa.exc.OperationalError("SELECT", {}, OSError("the database has gone"))
        with (
            mock.patch.object(self.chat.database, "read_batched", side_effect=gone),
            mock.patch.object(self.chat.database, "write", side_effect=gone),
            self.assertLogs("capstone_chat.handlers.websocket", "ERROR"),
        ):
            for _ in range(3):
                for frame in {"type": "ping"}, {"type": "read", "conv": conv, "seq": 1}:
                    await line.say(**frame)
                    self.assertEqual((await line.receive())["code"], "unavailable")
        await line.heard()


class MetricsTest(ChatCase):
    async def figures(self) -> dict[str, float]:
        response = await Person(self, "x").fetch("/metrics")
        self.assertEqual(response.code, 200)
        self.assertTrue(response.headers["Content-Type"].startswith("text/plain"))
        families = text_string_to_metric_families(response.body.decode())
        return {
            sample.name
            + "".join(f" {v}" for k, v in sample.labels.items() if k != "le"): sample.value
            for family in families
            for sample in family.samples
            if not sample.name.endswith("_bucket")
        }

    @tornado.testing.gen_test
    async def test_they_count_what_happens(self) -> None:
        anna, bob = await self.person("anna"), await self.person("bob")
        conv = await anna.group()
        await bob.join(conv)
        lines = [await anna.connect(), await bob.connect()]
        before = await self.figures()
        self.assertEqual(before["chat_sockets"], 2)
        for _ in range(3):
            await lines[0].send(conv, "hi")
        for line in lines:
            for _ in range(3):
                await line.receive("message")
        await anna.fetch("/nowhere")
        after = await self.figures()
        grown = {name: after[name] - before.get(name, 0) for name in after}
        self.assertEqual(grown["chat_deliveries_total"], 6)
        self.assertEqual(grown["chat_writes_total"], 3)
        self.assertLessEqual(grown["chat_commits_total"], 3)
        self.assertGreaterEqual(grown["chat_commits_total"], 1)
        self.assertEqual(grown["chat_request_seconds_count 404"], 1)
        self.assertGreater(grown["chat_request_seconds_sum 404"], 0)

    @tornado.testing.gen_test
    async def test_they_name_nobody(self) -> None:
        await (await self.person("anna", "Anna Secret")).group("A secret title")
        response = await Person(self, "x").fetch("/metrics")
        self.assertNotIn("anna", response.body.decode().lower())
        self.assertNotIn("secret", response.body.decode().lower())


class LogCase(ChatCase):
    options = {"request_burst": 1000}  # noqa: RUF012

    @contextlib.contextmanager
    def logged(self, level: str = "debug") -> Iterator[io.StringIO]:
        """Log as the program does, into a text that can be read here."""
        root, text = logging.getLogger(), io.StringIO()
        before, old_level = root.handlers[:], root.level
        hooks = [
            mock.patch.object(sys, "excepthook"),
            mock.patch.object(sys, "unraisablehook"),
            mock.patch.object(threading, "excepthook"),
            mock.patch.object(warnings, "showwarning"),
        ]
        with contextlib.ExitStack() as restored:
            for hook in hooks:
                restored.enter_context(hook)
            with contextlib.redirect_stderr(text):
                logs.configure(level)
            try:
                yield text
            finally:
                root.handlers[:] = before
                root.setLevel(old_level)

    def parsed(self, text: io.StringIO) -> list[dict[str, Any]]:
        return [json.loads(line) for line in text.getvalue().splitlines()]


class LogTest(LogCase):
    @tornado.testing.gen_test
    async def test_each_request_is_one_json_line(self) -> None:
        anna = await self.person("anna")
        with self.logged("info") as text:
            await anna.fetch("/api/groups?query=confidential")
            await Person(self, "x").fetch("/nowhere")
        first, second = self.parsed(text)
        self.assertRegex(first.pop("at"), r"\A\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00\Z")
        self.assertGreater(first.pop("ms"), 0)
        expected = {
            "level": "info",
            "logger": "chat.access",
            "message": "request",
            "method": "GET",
            "path": "/api/groups",
            "status": 200,
            "address": "127.0.0.1",
            "user": 1,
        }
        self.assertEqual(first, expected)
        self.assertEqual(
            (second["path"], second["status"], second["user"]), ("/nowhere", 404, None)
        )

    @tornado.testing.gen_test
    async def test_no_secret_is_in_any_line(self) -> None:
        with self.logged() as text:
            anna = Person(self, "anna")
            hidden = await anna.hidden_fields("/register")
            answer = self.answer(hidden["captcha_id"])
            fields = {"name": "anna", "password": PASSWORD, "confirmation": "another-secret"}
            await anna.submit("/register", hidden | fields | {"captcha": answer})
            await anna.register()
            await Person(self, "anna").login(password="a-wrong-guess")
            conv = await anna.group("confidential title")
            line = await anna.connect()
            for said in "confidential text", "", "x" * 5000:
                await line.send(conv, said)
            await line.receive("ack")
            await line.socket.write_message("confidential bad frame")
            await line.receive("error")
            await anna.call("GET", f"/api/conversations/{conv}/search?query=confidential")
            await anna.call("GET", "/api/groups?query=%ffconfidential")
            await anna.call("PUT", "/api/me/password", {"old": "a-wrong-guess", "new": "newsecret"})
            await anna.submit("/logout?token=confidential", {"_xsrf": "confidential"})
            boom = RuntimeError("a mistake")
            with mock.patch.object(type(self.chat.conversations), "search", side_effect=boom):
                code, _ = await anna.call(
                    "GET", f"/api/conversations/{conv}/search?query=confidential"
                )
            self.assertEqual(code, 500)
        self.assertIn("RuntimeError", text.getvalue())  # with its traceback, for the operator
        self.assertNotIn("a mistake", text.getvalue())  # its text might quote the request
        cookie = anna.cookies[self.cookie_name("session")]
        for secret in (
            *(PASSWORD, "another-secret", "a-wrong-guess", "newsecret", "confidential"),
            *(answer, cookie, cookie.split("|")[-2], cookie.split("|")[-1]),
            self._app.settings["cookie_secret"],
        ):
            with self.subTest(secret=secret):
                self.assertNotIn(secret, text.getvalue())
        self.assertGreater(len(self.parsed(text)), 10)

    def test_none_logs_nothing(self) -> None:
        with self.logged("none") as text:
            logging.getLogger("any").critical("the house is on fire")
        self.assertEqual(text.getvalue(), "")


class RefusalTest(LogCase):
    only_sqlite = True

    @tornado.testing.gen_test
    async def test_what_the_database_refuses_is_logged_without_what_was_to_be_stored(self) -> None:
        anna = await self.person("anna")
        conv = await anna.group()
        line = await anna.connect()
        refuse = (
            "CREATE TRIGGER full BEFORE INSERT ON events BEGIN SELECT RAISE(ABORT, 'full'); END"
        )
        with self.chat.database.engine.begin() as connection:
            connection.execute(sa.text(refuse))
        with self.logged() as text:
            await line.send(conv, "a confidential message")
            self.assertEqual((await line.receive("error"))["code"], "unavailable")
        self.assertIn("INSERT INTO events", text.getvalue())
        self.assertNotIn("confidential", text.getvalue())
