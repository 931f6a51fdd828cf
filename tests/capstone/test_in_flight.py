"""A stop waits for the requests that have begun."""

import asyncio

import tornado.testing
from tornado.testing import gen_test

from capstone_chat.in_flight import InFlight
from tests.capstone.chat_case import ChatCase


class UnderwayTest(tornado.testing.AsyncTestCase):
    @gen_test
    async def test_it_waits_until_the_last_request_has_ended(self) -> None:
        active_requests = InFlight()
        active_requests.add("one")
        active_requests.add("two")
        waiting = asyncio.ensure_future(active_requests.wait_until_empty(60))
        active_requests.remove("one")
        await asyncio.sleep(0)
        self.assertFalse(waiting.done())
        active_requests.remove("two")
        active_requests.remove("two")
        await waiting

    @gen_test
    async def test_it_waits_for_nobody_and_no_longer_than_it_may(self) -> None:
        active_requests = InFlight()
        await active_requests.wait_until_empty(60)
        active_requests.add("for ever")
        await active_requests.wait_until_empty(0.01)


class StopTest(ChatCase):
    @gen_test
    async def test_a_request_under_way_is_answered_before_the_chat_closes(self) -> None:
        anna = await self.person("anna")
        called, go, _over = self.hold(self.chat.sessions, "get")
        asked = asyncio.ensure_future(anna.call("GET", "/api/state"))
        await called.wait()
        closing = asyncio.ensure_future(self.chat.close())
        await asyncio.sleep(0)
        go.set()
        self.assertEqual((await asked)[0], 200)
        await closing
