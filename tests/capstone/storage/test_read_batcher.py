"""Short reads share a transaction, and one that fails leaves the others their results."""

import asyncio
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from unittest import mock

import sqlalchemy as sa
import tornado.testing
from tornado.testing import gen_test

from capstone_chat.storage import read_batcher
from capstone_chat.storage.read_batcher import ReadBatcher


class ReadBatcherTest(tornado.testing.AsyncTestCase):
    def setUp(self) -> None:
        super().setUp()
        folder = self.enterContext(tempfile.TemporaryDirectory())
        # A file, so that each thread has a connection of its own: two threads on one connection,
        # as with a database in memory, take each other's rows.
        self.engine = sa.create_engine(f"sqlite:///{folder}/reads.db")
        self.addCleanup(self.engine.dispose)
        self.threads = ThreadPoolExecutor(read_batcher.MAX_CONCURRENT_BATCHES)
        self.addCleanup(self.threads.shutdown)
        self.batcher = ReadBatcher(self.engine, self.threads)
        self.transactions: list[sa.Connection] = []
        sa.event.listen(self.engine, "begin", self.transactions.append)

    def number(self, value: int) -> Callable[[sa.Connection], int]:
        return lambda connection: connection.scalars(sa.select(sa.literal(value))).one()

    @gen_test
    async def test_reads_of_one_turn_of_the_loop_share_a_transaction(self) -> None:
        found = await asyncio.gather(*(self.batcher.load(self.number(n)) for n in range(10)))
        self.assertEqual(found, list(range(10)))
        self.assertEqual(len(self.transactions), 1)

    @gen_test
    async def test_more_reads_than_a_batch_holds_take_several_transactions(self) -> None:
        count = 3 * read_batcher.MAX_BATCH_SIZE + 1
        found = await asyncio.gather(*(self.batcher.load(self.number(n)) for n in range(count)))
        self.assertEqual(found, list(range(count)))
        self.assertEqual(len(self.transactions), 4)

    @gen_test
    async def test_a_query_that_fails_fails_alone(self) -> None:
        def wrong(_connection: sa.Connection) -> int:
            raise KeyError("wrong")

        good, bad, also = await asyncio.gather(
            self.batcher.load(self.number(1)),
            self.batcher.load(wrong),
            self.batcher.load(self.number(2)),
            return_exceptions=True,
        )
        self.assertEqual((good, also), (1, 2))
        self.assertIsInstance(bad, KeyError)

    @gen_test
    async def test_a_database_that_does_not_answer_is_asked_once_for_a_batch(self) -> None:
        away = sa.exc.OperationalError("connect", None, OSError())
        with mock.patch.object(self.engine, "begin", side_effect=away) as begin:
            found = await asyncio.gather(
                *(self.batcher.load(self.number(n)) for n in range(10)), return_exceptions=True
            )
        self.assertEqual(found, [away] * 10)
        begin.assert_called_once_with()
        self.assertEqual(await self.batcher.load(self.number(1)), 1)

    @gen_test
    async def test_a_cancelled_read_leaves_the_others_their_results(self) -> None:
        first = asyncio.ensure_future(self.batcher.load(self.number(1)))
        second = asyncio.ensure_future(self.batcher.load(self.number(2)))
        await asyncio.sleep(0)
        first.cancel()
        self.assertEqual(await second, 2)

    @gen_test
    async def test_a_read_after_the_threads_have_ended_raises(self) -> None:
        self.threads.shutdown()
        with self.assertRaises(RuntimeError):
            await self.batcher.load(self.number(1))
