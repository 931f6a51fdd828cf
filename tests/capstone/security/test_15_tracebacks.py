"""Errors show no traceback, and there is no debug mode."""

from pathlib import Path
from unittest import mock

import tornado.httpclient
import tornado.iostream
import tornado.tcpclient
import tornado.testing

import capstone_chat
from capstone_chat.app import make_app
from capstone_chat.options import OptionError, Options, parse
from tests.capstone.chat_case import ChatCase, Person, before_each_commit
from tests.capstone.socket_case import SocketCase


class TracebackTest(ChatCase):
    @tornado.testing.gen_test
    async def test_a_mistake_in_a_handler_shows_no_traceback(self) -> None:
        anna = await self.person("anna")
        boom = RuntimeError("the secret is in /var/lib/chat")
        with (
            mock.patch.object(type(self.chat.conversations), "list_for", side_effect=boom),
            mock.patch("capstone_chat.handlers.pages.ChatHandler.render", side_effect=boom),
        ):
            for path in "/api/state", "/":
                with self.subTest(path=path):
                    response = await anna.fetch(path)
                    self.assertEqual(response.code, 500)
                    for leak in b"Traceback", b"secret", b"RuntimeError", b".py", b"/var/lib":
                        self.assertNotIn(leak, response.body)

    @tornado.testing.gen_test
    async def test_a_failing_handler_of_a_page_answers_with_the_error_page(self) -> None:
        boom = RuntimeError("x")
        with mock.patch.object(type(self.chat.captchas), "create", side_effect=boom):
            response = await Person(self, "x").fetch("/login")
        self.assertEqual(response.code, 500)
        self.assertIn("Internal Server Error", response.body.decode())
        self.assertIn('href="/"', response.body.decode())


class FrameTest(SocketCase):
    @tornado.testing.gen_test
    async def test_a_message_that_cannot_be_stored_is_not_acknowledged(self) -> None:
        anna, bob = await self.anna.connect(), await self.bob.connect()

        def fail() -> None:
            raise OSError("the disk has gone")

        with (
            before_each_commit(fail),
            self.assertLogs("capstone_chat.handlers.websocket", "ERROR") as logs,
        ):
            cid = await anna.send(self.conv, "a secret")
            error = await anna.receive()
        self.assertEqual((error["code"], error["cid"]), ("unavailable", cid))
        self.assertNotIn("disk", error["message"])
        self.assertNotIn("a secret", "".join(logs.output))
        await anna.send(self.conv, "a secret", cid)
        self.assertEqual((await anna.receive("ack"))["seq"], 3)
        self.assertEqual((await bob.receive("message"))["seq"], 3)


class DebugTest(ChatCase):
    def test_there_is_no_debug_mode_to_forget(self) -> None:
        for name in "debug", "serve_traceback", "autoreload":
            self.assertFalse(self._app.settings.get(name), name)
        for argument in "--debug", "--debug=true", "--serve-traceback=true":
            with self.assertRaises(OptionError):
                parse([argument])

    def test_the_secret_is_no_known_one_and_a_short_one_refuses_to_start(self) -> None:
        secret = self._app.settings["cookie_secret"]
        self.assertRegex(secret, r"\A[0-9a-f]{64}\Z")
        for path in Path(capstone_chat.__file__).parent.rglob("*.py"):
            self.assertNotRegex(path.read_text(encoding="utf-8"), r"cookie_secret\s*=\s*[\"\']")
        (self.data / "secret").write_text("changeme")
        with self.assertRaises(OptionError):
            make_app(Options(data=str(self.data)))
