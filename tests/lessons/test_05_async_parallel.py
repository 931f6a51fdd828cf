"""Lesson 05: several awaits at once, and threads for what cannot be awaited (C204-C209)."""

import asyncio
import hashlib
import sys
import threading
import types
from collections.abc import Generator
from typing import Any
from unittest import mock

import tornado.gen
import tornado.web
from tornado.ioloop import IOLoop
from tornado.testing import AsyncHTTPTestCase, AsyncTestCase, ExpectLog, gen_test

from tests.support.lesson_case import import_script, json_of

executors = import_script("05_async", "executors")
one_fails = import_script("05_async", "one_fails")
parallel = import_script("05_async", "parallel")

PATIENCE = 60  # seconds until a wait that should have ended fails the test


class ParallelTest(AsyncHTTPTestCase):
    """Both questions wait for each other where they are asked at once."""

    def get_app(self) -> tornado.web.Application:
        return parallel.make_app()

    def shop(self, path: str, sleep: Any) -> Any:
        # Everything of asyncio but sleep stays as it is.
        names = vars(asyncio) | {"sleep": sleep}
        with mock.patch.object(parallel, "asyncio", types.SimpleNamespace(**names)):
            return json_of(self.fetch(path))

    def test_one_by_one(self) -> None:
        """C204: the second question waits for the first answer."""

        async def sleep(seconds: float) -> None:
            """Nobody else is awaited, so neither may this wait for somebody."""

        page = self.shop("/", sleep)
        self.assertEqual((page["price"], page["stock"]), (12, 3))
        self.assertEqual(
            page["events"], ["price asked", "price answered", "stock asked", "stock answered"]
        )

    def test_at_the_same_time(self) -> None:
        """C204, C205: gather, multi and TaskGroup ask both before either has answered."""
        for path in ("/gather", "/multi", "/task_group"):
            both = asyncio.Barrier(2)

            async def sleep(seconds: float, both: asyncio.Barrier = both) -> None:
                await both.wait()

            with self.subTest(path=path):
                page = self.shop(path, sleep)
                self.assertEqual((page["price"], page["stock"]), (12, 3))
                self.assertEqual(page["events"][:2], ["price asked", "stock asked"])


class OneFailsTest(AsyncHTTPTestCase):
    """Turns of the event loop stand for the time: a second is a hundred of them."""

    def get_app(self) -> tornado.web.Application:
        return one_fails.make_app()

    def test_what_the_other_request_does(self) -> None:
        """C205: gather lets it go on, multi waits for it, a TaskGroup cancels it."""
        one_turn = asyncio.sleep

        async def sleep(seconds: float) -> None:
            for _ in range(round(100 * seconds)):
                await one_turn(0)

        names = vars(asyncio) | {"sleep": sleep}
        for path, events in (
            ("/gather", ["stock failed", "OSError raised", "price answered"]),
            ("/multi", ["stock failed", "price answered", "OSError raised"]),
            ("/task_group", ["stock failed", "price cancelled", "ExceptionGroup raised"]),
        ):
            with (
                self.subTest(path=path),
                mock.patch.object(one_fails, "asyncio", types.SimpleNamespace(**names)),
            ):
                self.assertEqual(json_of(self.fetch(path)), {"events": events})


class AnswersTest(AsyncTestCase):
    """What becomes of the others when one fails."""

    def setUp(self) -> None:
        super().setUp()
        self.events: list[str] = []
        self.release = asyncio.Event()

    async def fail_with(self, message: str) -> None:
        raise ValueError(message)

    async def waiting(self) -> str:
        try:
            await self.release.wait()
        except asyncio.CancelledError:
            self.events.append("cancelled")
            raise
        self.events.append("finished")
        return "done"

    @gen_test
    async def test_a_list_cannot_be_awaited(self) -> None:
        """C204"""
        answers = [asyncio.ensure_future(self.waiting())]
        told = "can't be used in 'await' expression"
        if sys.version_info >= (3, 14):
            told = "object can't be awaited"
        with self.assertRaisesRegex(TypeError, told):
            await answers  # type: ignore[misc]
        answers[0].cancel()
        await asyncio.wait(answers)

    @gen_test
    async def test_a_list_or_a_dict_can_be_yielded_in_a_decorated_coroutine(self) -> None:
        """C204"""

        async def answer(number: int) -> int:
            return number

        @tornado.gen.coroutine
        def old() -> Generator[Any, Any, tuple[list[int], dict[str, int]]]:
            listed = yield [answer(1), answer(2)]
            named = yield {"three": answer(3)}
            return listed, named

        self.assertEqual(await old(), ([1, 2], {"three": 3}))

    @gen_test
    async def test_multi_takes_a_list_or_a_dict(self) -> None:
        """C205"""
        self.release.set()
        self.assertEqual(
            await tornado.gen.multi([self.waiting(), self.waiting()]),
            ["done", "done"],
        )
        self.assertEqual(await tornado.gen.multi({"one": self.waiting()}), {"one": "done"})

    @gen_test
    async def test_multi_raises_the_first_error_and_logs_the_others(self) -> None:
        """C205"""
        with (
            ExpectLog("tornado.application", "Multiple exceptions in yield list"),
            self.assertRaisesRegex(ValueError, "first"),
        ):
            await tornado.gen.multi([self.fail_with("first"), self.fail_with("second")])

    @gen_test
    async def test_multi_ends_when_a_child_is_cancelled(self) -> None:
        """C205: since 6.6; before, it waited for ever."""
        child = asyncio.ensure_future(self.waiting())
        IOLoop.current().add_callback(child.cancel)
        with self.assertRaises(asyncio.CancelledError):
            await tornado.gen.multi([child])

    @gen_test
    async def test_gather_raises_at_once_and_leaves_the_others_running(self) -> None:
        """C205"""
        other = asyncio.ensure_future(self.waiting())
        with self.assertRaisesRegex(ValueError, "broken"):
            await asyncio.gather(other, self.fail_with("broken"))
        self.assertEqual(self.events, [])
        self.release.set()
        self.assertEqual(await other, "done")

    @gen_test
    async def test_a_task_group_cancels_the_others_and_waits_for_them(self) -> None:
        """C205: and what went wrong comes as a group."""
        with self.assertRaises(ExceptionGroup) as caught:
            async with asyncio.TaskGroup() as group:
                group.create_task(self.waiting())
                group.create_task(self.fail_with("broken"))
        self.assertEqual(str(caught.exception.exceptions[0]), "broken")
        self.assertEqual(self.events, ["cancelled"])


class ExecutorsTest(AsyncHTTPTestCase):
    def get_app(self) -> tornado.web.Application:
        self.three = threading.Barrier(3)
        application = executors.make_app(self.hash)
        self.addCleanup(application.settings["executor"].shutdown)
        return application

    def hash(self, password: str) -> str:
        """Does not return before two others have been called too."""
        self.three.wait(PATIENCE)
        return password.upper()

    @gen_test
    async def test_three_threads_work_at_once(self) -> None:
        """C207, C209: with each way the loop goes on, and three are under way together."""
        for path in ("/", "/to_thread", "/decorated"):
            with self.subTest(path=path):
                urls = [self.get_url(f"{path}?password={name}") for name in "abc"]
                answers = await asyncio.gather(*map(self.http_client.fetch, urls))
                self.assertEqual([answer.body for answer in answers], [b"A\n", b"B\n", b"C\n"])

    def test_an_error_in_the_thread_is_raised_at_the_await(self) -> None:
        """C209"""
        self.three.abort()
        for path in ("/", "/to_thread", "/decorated"):
            with (
                self.subTest(path=path),
                ExpectLog("tornado.application", "Uncaught exception"),
            ):
                self.assertEqual(self.fetch(path).code, 500)


class LoopOrThreadTest(AsyncHTTPTestCase):
    def get_app(self) -> tornado.web.Application:
        self.main_thread: list[bool] = []
        application = executors.make_app(self.hash)
        self.addCleanup(application.settings["executor"].shutdown)
        return application

    def hash(self, password: str) -> str:
        self.main_thread.append(threading.current_thread() is threading.main_thread())
        return password

    def test_only_the_blocking_handler_hashes_in_the_thread_of_the_loop(self) -> None:
        """C206, C209"""
        for path in ("/blocking", "/", "/to_thread", "/decorated"):
            self.assertEqual(self.fetch(path).body, b"secret\n")
        self.assertEqual(self.main_thread, [True, False, False, False])

    def test_the_work_of_the_script_is_a_real_hash(self) -> None:
        """C209"""
        expected = hashlib.pbkdf2_hmac("sha256", b"secret", b"salt", 1_000_000).hex()
        self.assertEqual(executors.slow_hash("secret"), expected)
