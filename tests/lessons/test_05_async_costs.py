"""Lesson 05: the cost of waits, a query behind HTTP, mistakes with the event loop (C003, C208)."""

import asyncio
import sys
import threading
from typing import Any

import pytest
import tornado.web
from tornado.testing import AsyncHTTPTestCase, AsyncTestCase, gen_test

from tests.support.lesson_case import import_script, json_of

slow_query = import_script("05_async", "slow_query")
ten_thousand = import_script("05_async", "ten_thousand")


class TenThousandTest(AsyncHTTPTestCase):
    def get_app(self) -> tornado.web.Application:
        return ten_thousand.make_app()

    def test_the_number_of_waits_is_limited(self) -> None:
        """C003: a visitor must not start any number of threads."""
        for path in ("/threads?count=1001", "/coroutines?count=10001", "/threads?count=0"):
            self.assertEqual(self.fetch(path).code, 400)
        self.assertEqual(self.fetch("/threads?count=many").code, 400)

    def test_all_threads_end(self) -> None:
        """C003"""
        before = set(threading.enumerate())
        self.assertEqual(json_of(self.fetch("/threads?count=20"))["waits"], 20)
        left = [each for each in threading.enumerate() if each not in before]
        # The resolver of the client may have started a thread of its pool.
        self.assertEqual([each.name for each in left if "(wait)" in each.name], [])

    @pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")
    def test_ten_thousand_coroutines_need_less_than_20_mib(self) -> None:
        """C003, C182: the figure in step 3 of the lesson."""
        answer = json_of(self.fetch("/coroutines?count=10000"))
        self.assertEqual(answer["waits"], 10_000)
        self.assertLess(answer["MiB"], 20)


class SlowQueryTest(AsyncHTTPTestCase):
    def get_app(self) -> tornado.web.Application:
        self.in_query, self.end = threading.Event(), threading.Event()
        kept = slow_query.query
        self.addCleanup(setattr, slow_query, "query", kept)
        slow_query.query = self.query  # type: ignore[attr-defined]
        return slow_query.make_app("")

    def query(self) -> dict[str, float]:
        self.in_query.set()
        self.end.wait(60)
        return {"counted": 7, "query": 0.0}

    def test_both_ways_answer_the_same(self) -> None:
        """C208"""
        self.end.set()
        self._app.settings["service"] = self.get_url("/service")
        for path in ("/thread", "/http"):
            self.assertEqual(json_of(self.fetch(path))["counted"], 7)

    @gen_test
    async def test_both_ways_leave_the_event_loop_free(self) -> None:
        """C208"""
        self._app.settings["service"] = self.get_url("/service")
        for path in ("/thread", "/http"):
            slow = asyncio.ensure_future(self.http_client.fetch(self.get_url(path)))
            await asyncio.to_thread(self.in_query.wait, 5)
            pong = await self.http_client.fetch(self.get_url("/"))
            self.assertEqual((pong.body, slow.done()), (b"pong\n", False))
            self.end.set()
            await slow
            self.in_query.clear()
            self.end.clear()


class LoopMistakesTest(AsyncTestCase):
    """Messages of TROUBLESHOOTING.md."""

    @gen_test
    async def test_a_running_loop_cannot_be_run_again(self) -> None:
        """C212: run_sync() and run_until_complete() inside of a coroutine."""

        async def work() -> None:
            """Never run."""

        coroutine: Any = work()
        with self.assertRaisesRegex(RuntimeError, "This event loop is already running"):
            asyncio.get_running_loop().run_until_complete(coroutine)
        coroutine.close()

    def test_a_future_belongs_to_one_loop(self) -> None:
        """C212: a lock that one asyncio.run() has used, in the next one."""

        async def make() -> "asyncio.Future[None]":
            return asyncio.get_running_loop().create_future()

        async def wait(future: "asyncio.Future[None]") -> None:
            await future

        future = asyncio.run(make())
        with self.assertRaisesRegex(RuntimeError, "attached to a different loop"):
            asyncio.run(wait(future))
