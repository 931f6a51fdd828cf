"""Lesson 06: what a peer that does not read costs (C218, C223)."""

import asyncio
import gc
from unittest import mock

import tornado.web
from tornado.iostream import IOStream
from tornado.testing import gen_test
from tornado.websocket import WebSocketHandler

from tests.lessons.websocket_case import WebSocketTestCase
from tests.support.lesson_case import import_script
from tests.support.script_server import serving

slow_reader = import_script("06_websocket_chat", "slow_reader")

GO = b"\x81\x82\x00\x00\x00\x00go"  # a text frame, masked as those of clients are


class SlowReaderTest(WebSocketTestCase):
    def get_app(self) -> tornado.web.Application:
        app = slow_reader.make_app()
        self.feeds = app.settings["feeds"]
        return app

    async def slow_peer(self, path: str) -> IOStream:
        """Begin a feed and read nothing of it but the first bytes."""
        stream = await self.peer(path)
        await stream.write(GO)
        await stream.read_bytes(1)
        return stream

    @gen_test
    async def test_without_a_bound_all_that_is_not_read_is_kept(self) -> None:
        """C218: write_message() neither waits nor fails."""
        await self.slow_peer("/unbounded")
        feed = self.feeds["/unbounded"]
        self.assertEqual(feed.written, slow_reader.COUNT)
        self.assertGreater(feed.waiting, 16 * 1024 * 1024)

    @gen_test
    async def test_who_awaits_keeps_one_chunk(self) -> None:
        """C218: the Future of write_message() is done when the chunk has left."""
        await self.slow_peer("/awaited")
        feed = self.feeds["/awaited"]
        self.assertLess(feed.written, slow_reader.COUNT)
        self.assertLessEqual(feed.waiting, 64 * 1024)

    @gen_test
    async def test_who_awaits_sends_everything_in_the_end(self) -> None:
        """C218"""
        socket = await self.connect("/awaited")
        await socket.write_message("go")
        read = 0
        while await socket.read_message() is not None:
            read += 1
        self.assertEqual(read, slow_reader.COUNT)

    @gen_test
    async def test_with_a_bound_the_slow_one_is_closed(self) -> None:
        """C219, C223"""
        await self.slow_peer("/bounded")
        feed = self.feeds["/bounded"]
        self.assertLess(feed.written, slow_reader.COUNT)
        self.assertLessEqual(feed.waiting, slow_reader.LIMIT)
        reading = await self.connect("/bounded")
        await reading.write_message("go")
        while await reading.read_message() is not None:
            pass
        self.assertEqual((reading.close_code, reading.close_reason), (4008, "reading too slowly"))

    @gen_test
    async def test_the_slow_one_is_told_why_though_nothing_more_may_wait(self) -> None:
        """C219"""
        with mock.patch.object(slow_reader, "LIMIT", 10):
            reader = await self.connect("/bounded")
        await reader.write_message("go")
        self.assertIsNone(await reader.read_message())
        self.assertEqual((reader.close_code, reader.close_reason), (4008, "reading too slowly"))

    @gen_test
    async def test_what_a_lost_peer_missed_is_no_error(self) -> None:
        """C218"""
        reported: list[str] = []
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda loop, context: reported.append(context["message"]))
        (await self.slow_peer("/unbounded")).close()
        while self.feeds["/unbounded"].waiting:
            await self.connect("/awaited")  # the loop turns meanwhile
        gc.collect()
        self.assertEqual(reported, [])

    @gen_test
    async def test_the_page_shows_what_waits(self) -> None:
        """C218"""
        await self.slow_peer("/unbounded")
        page = await self.http_client.fetch(self.get_url("/"))
        self.assertRegex(page.body.decode(), r"<td>/unbounded</td><td>500</td><td>\d+\.\d MiB")


class UnseenHandler(WebSocketHandler):
    def on_message(self, message: str | bytes) -> None:
        for _ in range(100):
            self.write_message(bytes(100_000), binary=True)


class UnseenTest(WebSocketTestCase):
    def get_app(self) -> tornado.web.Application:
        return tornado.web.Application([("/", UnseenHandler)])

    @gen_test
    async def test_frames_that_a_lost_peer_missed_are_reported_unless_looked_at(self) -> None:
        """C218"""
        reported: list[str] = []
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda loop, context: reported.append(context["message"]))
        stream = await self.peer("/")
        await stream.write(GO)
        await stream.read_bytes(1)
        stream.close()
        # The server notices in its own time: the next connection is served after that.
        while not reported:
            await self.connect("/")
            gc.collect()
        self.assertEqual(set(reported), {"Task exception was never retrieved"})


def test_the_script_measures_all_three() -> None:
    """C218, C223"""
    with serving(slow_reader.HERE / "slow_reader.py") as server:
        unbounded, awaited, bounded = [
            line.split(maxsplit=5) for line in server.output.splitlines()[1:-1]
        ]
        assert (unbounded[0], unbounded[1], unbounded[4]) == ("unbounded", "500", "500")
        assert float(unbounded[2]) > 16
        assert (awaited[0], awaited[4]) == ("awaited", "500")
        assert float(awaited[2]) <= 0.1
        assert (bounded[0], bounded[5]) == ("bounded", "4008 reading too slowly")
        assert bounded[1] == bounded[4]
        assert float(bounded[2]) <= 1.0
