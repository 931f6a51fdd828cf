"""Who does not read loses the socket, and nobody else waits."""

import tornado.httpclient
import tornado.iostream
import tornado.testing

from capstone_chat.handlers.websocket import ChatSocketHandler
from capstone_chat.realtime import topics
from tests.capstone.chat_case import Line
from tests.capstone.socket_case import SocketCase
from tests.support.websocket_frames import close_code


class SlowReaderTest(SocketCase):
    BOUND = 128 * 1024
    options = {"send_buffer": BOUND, "send_burst": 5000}  # noqa: RUF012

    async def slow_reader(self) -> tuple[Line, tornado.iostream.IOStream, ChatSocketHandler]:
        """Connect bob, and anna who will not read; return both and the server's end of hers."""
        bob = await self.bob.connect()
        deaf = await self.anna.open_stream()
        await deaf.read_until(b"}}")  # all of the hello
        await self.until(lambda: self.chat.hub.subscriber_count(topics.conversation(1)) == 2)
        slow = next(one for one in self.chat.hub._subscriptions if one.session_id == 1)
        assert isinstance(slow, ChatSocketHandler)
        return bob, deaf, slow

    @tornado.testing.gen_test
    async def test_who_does_not_read_is_closed_with_3008_and_the_others_go_on(self) -> None:
        bob, deaf, slow = await self.slow_reader()
        most, sent = 0, 0
        text = "🦆" * 4000  # 48 kB of JSON
        while slow in self.chat.hub:
            self.assertLess(sent, 1000, "the slow reader was never closed")
            await bob.send(self.conv, text)
            await bob.receive("message")
            sent += 1
            most = max(most, len(slow.stream._write_buffer))
        self.assertGreater(most, 0, "nothing ever waited: this test proves nothing")
        self.assertLessEqual(most, self.BOUND)
        self.assertLess(len(slow.stream._write_buffer), self.BOUND + 200)
        for _ in range(20):
            await bob.send(self.conv, text)
            await bob.receive("message")
        self.assertLess(len(slow.stream._write_buffer), self.BOUND + 200)
        await self.quiet(bob)
        # When it reads at last, it finds whole frames and why it was closed.
        self.assertEqual(close_code(await deaf.read_until(b"reading too slowly")), 3008)
        again = await self.anna.connect()
        self.assertEqual(again.hello["heads"], {"1": 2 + sent + 20})

    @tornado.testing.gen_test
    async def test_the_close_frame_fits_though_not_a_byte_is_left(self) -> None:
        bob, deaf, slow = await self.slow_reader()
        while not slow.stream._write_buffer:
            await bob.send(self.conv, "🦆" * 4000)
            await bob.receive("message")
        slow.stream.max_write_buffer_size = len(slow.stream._write_buffer)
        await bob.send(self.conv, "the last straw")
        await bob.receive("message")
        self.assertNotIn(slow, self.chat.hub)
        self.assertEqual(close_code(await deaf.read_until(b"reading too slowly")), 3008)
