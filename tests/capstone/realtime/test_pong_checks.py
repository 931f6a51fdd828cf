"""Checks of an interval run in one turn of the event loop."""

import asyncio
import functools
from unittest import mock

import tornado.testing

from capstone_chat.realtime import pong_checks
from capstone_chat.realtime.pong_checks import PongChecks


class PongChecksTest(tornado.testing.AsyncTestCase):
    @tornado.testing.gen_test
    async def test_checks_wait_for_others_and_run_together(self) -> None:
        ran: list[int] = []
        checks = PongChecks()
        with mock.patch.object(pong_checks, "GATHER_INTERVAL", 0.001):
            for first in 1, 3:  # the first check after an interval begins another one
                done = asyncio.Event()
                checks.add(functools.partial(ran.append, first))
                await asyncio.sleep(0)
                checks.add(functools.partial(ran.append, first + 1))
                checks.add(done.set)
                self.assertNotIn(first, ran)
                await done.wait()
                self.assertEqual(ran[-2:], [first, first + 1])
