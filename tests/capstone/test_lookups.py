"""Short reads share a trip to the database, and none spoils another's answer."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from unittest import mock

import sqlalchemy as sa
import tornado.testing
from tornado.testing import gen_test

from capstone_chat import lookups
from capstone_chat.lookups import Lookups


class LookupsTest(tornado.testing.AsyncTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.engine = sa.create_engine(
            "sqlite://", poolclass=sa.StaticPool, connect_args={"check_same_thread": False}
        )
        self.addCleanup(self.engine.dispose)
        self.threads = ThreadPoolExecutor(lookups.TRIPS)
        self.addCleanup(self.threads.shutdown)
        self.lookups = Lookups(self.engine, self.threads)
        self.transactions: list[sa.Connection] = []
        sa.event.listen(self.engine, "begin", self.transactions.append)

    def number(self, value: int) -> Any:
        return lambda connection: connection.scalar(sa.select(sa.literal(value)))

    @gen_test
    async def test_what_is_asked_in_one_turn_is_answered_in_one_transaction(self) -> None:
        found = await asyncio.gather(*(self.lookups.ask(self.number(n)) for n in range(10)))
        self.assertEqual(found, list(range(10)))
        self.assertEqual(len(self.transactions), 1)

    @gen_test
    async def test_more_than_a_trip_takes_are_answered_in_several(self) -> None:
        count = 3 * lookups.SEATS + 1
        found = await asyncio.gather(*(self.lookups.ask(self.number(n)) for n in range(count)))
        self.assertEqual(found, list(range(count)))
        self.assertEqual(len(self.transactions), 4)

    @gen_test
    async def test_a_query_that_fails_fails_alone(self) -> None:
        def wrong(_connection: sa.Connection) -> int:
            raise KeyError("wrong")

        good, bad, also = await asyncio.gather(
            self.lookups.ask(self.number(1)),
            self.lookups.ask(wrong),
            self.lookups.ask(self.number(2)),
            return_exceptions=True,
        )
        self.assertEqual((good, also), (1, 2))
        self.assertIsInstance(bad, KeyError)

    @gen_test
    async def test_a_database_that_is_away_is_asked_once_for_all(self) -> None:
        away = sa.exc.OperationalError("connect", None, OSError())
        with mock.patch.object(self.engine, "begin", side_effect=away) as begin:
            found = await asyncio.gather(
                *(self.lookups.ask(self.number(n)) for n in range(10)), return_exceptions=True
            )
        self.assertEqual(found, [away] * 10)
        begin.assert_called_once_with()
        self.assertEqual(await self.lookups.ask(self.number(1)), 1)

    @gen_test
    async def test_who_no_longer_waits_does_no_harm(self) -> None:
        first = asyncio.ensure_future(self.lookups.ask(self.number(1)))
        second = asyncio.ensure_future(self.lookups.ask(self.number(2)))
        await asyncio.sleep(0)
        first.cancel()
        self.assertEqual(await second, 2)

    @gen_test
    async def test_a_question_after_the_end_is_answered_with_an_error(self) -> None:
        self.threads.shutdown()
        with self.assertRaises(RuntimeError):
            await self.lookups.ask(self.number(1))
