"""Calls of an interval run in one turn of the event loop."""

import asyncio
import functools

import tornado.testing

from capstone_chat.realtime.gathered_calls import GatheredCalls


class GatheredCallsTest(tornado.testing.AsyncTestCase):
    @tornado.testing.gen_test
    async def test_calls_wait_for_others_and_run_together(self) -> None:
        ran: list[int] = []
        calls = GatheredCalls(0.001)
        for first in 1, 3:  # the first call after an interval begins another one
            done = asyncio.Event()
            calls.add(functools.partial(ran.append, first))
            await asyncio.sleep(0)
            calls.add(functools.partial(ran.append, first + 1))
            calls.add(done.set)
            self.assertNotIn(first, ran)
            await done.wait()
            self.assertEqual(ran[-2:], [first, first + 1])
