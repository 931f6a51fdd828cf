"""Frames of every kind are counted, and a connection has at most one session check in flight."""

from unittest import mock

import tornado.iostream
import tornado.testing

from capstone_chat.handlers.websocket import ChatSocketHandler
from capstone_chat.realtime import topics
from capstone_chat.realtime.control import RefreshUser, Resync
from tests.capstone.chat_case import Person
from tests.capstone.socket_case import SocketCase
from tests.support.websocket_frames import CONTINUATION, PING, PONG, TEXT, client_frame, close_code


class ControlFrameCase(SocketCase):
    async def open(self, person: Person) -> tuple[tornado.iostream.IOStream, ChatSocketHandler]:
        """Open a socket as bare bytes, and return its two ends once it has said hello."""
        before = set(self.chat.hub._subscriptions)
        stream = await person.open_stream()
        await stream.read_until(b'"hello"')
        await stream.read_until(b"}}")
        (handler,) = set(self.chat.hub._subscriptions) - before
        assert isinstance(handler, ChatSocketHandler)
        return stream, handler

    async def called(self, counted: mock.AsyncMock, times: int) -> None:
        await self.until(lambda: counted.call_count == times)

    def count(self, owner: object, name: str) -> mock.AsyncMock:
        """Count the calls of a method that go on to the real one."""
        return self.enterContext(mock.patch.object(owner, name, side_effect=getattr(owner, name)))


class CheckTest(ControlFrameCase):
    options = {"frame_burst": 5000}  # noqa: RUF012

    @tornado.testing.gen_test
    async def test_pongs_during_a_session_check_start_no_other(self) -> None:
        stream, _ = await self.open(self.anna)
        called, go, over = self.hold(self.chat.sessions, "get")
        counted = self.count(self.chat.sessions, "get")
        await stream.write(client_frame(PONG, b"") * 300)
        await called.wait()
        await stream.write(client_frame(PONG, b"") * 300 + client_frame(PING, b"read"))
        await stream.read_until(b"read")  # all before it has been read
        self.assertEqual(counted.call_count, 1)
        go.set()
        await over.wait()
        await stream.write(client_frame(PONG, b"") * 300 + client_frame(PING, b"more"))
        await stream.read_until(b"more")
        self.assertEqual(counted.call_count, 1)

    @tornado.testing.gen_test
    async def test_a_pong_after_half_a_ping_interval_checks_again(self) -> None:
        stream, handler = await self.open(self.anna)
        counted = self.count(self.chat.sessions, "get")
        for checks in 1, 2, 3:
            await stream.write(client_frame(PONG, b""))
            await self.called(counted, checks)
            handler.next_session_check -= self.chat.options.ping_interval / 2  # time passes

    @tornado.testing.gen_test
    async def test_orders_to_renew_during_a_check_cause_one_more_after_it(self) -> None:
        line = await self.anna.connect()
        (handler,) = self.chat.hub._subscriptions
        assert isinstance(handler, ChatSocketHandler) and handler.session is not None
        called, go, _ = self.hold(self.chat.sessions, "get")
        counted = self.count(self.chat.sessions, "get")
        topic = topics.user(self.anna.id)
        self.chat.hub.send_control(topic, RefreshUser())
        await called.wait()  # it has read the user with the old name
        await self.chat.accounts.change_profile(handler.session, nickname="Annabel")
        for _ in range(100):
            self.chat.hub.send_control(topic, RefreshUser())
        go.set()
        await self.until(lambda: handler.user.nickname == "Annabel")
        await self.quiet(line)
        self.assertEqual(counted.call_count, 2)

    @tornado.testing.gen_test
    async def test_orders_to_look_again_during_a_look_cause_one_more_after_it(self) -> None:
        line = await self.anna.connect()
        called, go, _ = self.hold(self.chat.contacts, "presence_visible_to")
        counted = self.count(self.chat.contacts, "presence_visible_to")
        for _ in range(100):
            self.chat.hub.send_control(topics.user(self.anna.id), Resync())
        await called.wait()
        for _ in range(100):
            self.chat.hub.send_control(topics.user(self.anna.id), Resync())
        go.set()
        for _ in range(2):
            await line.receive("pong")
        await self.quiet(line)
        self.assertEqual(counted.call_count, 2)

    @tornado.testing.gen_test
    async def test_a_check_that_comes_after_the_end_asks_nothing(self) -> None:
        line = await self.anna.connect()
        (handler,) = self.chat.hub._subscriptions
        assert isinstance(handler, ChatSocketHandler)
        line.socket.close()
        await self.until(lambda: not self.chat.hub)
        counted = self.count(self.chat.sessions, "get")
        await handler.revalidate_session()
        await handler.resync_subscriptions()
        handler.on_pong(b"")
        self.assertEqual(counted.call_count, 0)


class FloodTest(ControlFrameCase):
    BURST = 60
    options = {"frame_burst": BURST, "frame_rate": 0.001}  # noqa: RUF012

    @tornado.testing.gen_test
    async def test_too_many_frames_of_any_kind_close_with_3009_and_no_neighbour_notices(
        self,
    ) -> None:
        bob = await self.bob.connect()
        floods = {
            "pongs": client_frame(PONG, b"") * 200,
            "pings": client_frame(PING, b"?") * 200,
            "texts": client_frame(TEXT, b'{"type":"ping"}') * 200,
            "empty texts, of which five in a row are too many": client_frame(TEXT, b"") * 200,
            "fragments": client_frame(TEXT, b"", final=False)
            + client_frame(CONTINUATION, b"", final=False) * 200,
            "pings between fragments": client_frame(TEXT, b"", final=False)
            + client_frame(PING, b"") * 200,
        }
        for kind, flood in floods.items():
            with self.subTest(kind=kind), self.assertNoLogs(level="ERROR"):
                self.chat.frame_limiter._buckets.clear()
                stream, handler = await self.open(self.anna)
                await stream.write(flood)
                code = close_code(await stream.read_until(b" frames"))
                self.assertEqual(code, 3501 if "five" in kind else 3009)
                self.assertNotIn(handler, self.chat.hub)
        await self.quiet(bob)

    @tornado.testing.gen_test
    async def test_nothing_is_read_after_too_many_frames(self) -> None:
        stream, handler = await self.open(self.anna)
        with mock.patch.object(self.chat.frame_limiter, "acquire", return_value=False) as admit:
            await stream.write(client_frame(PONG, b"") * 2000)
            await stream.read_until(b"too many frames")
            await stream.write(client_frame(PONG, b"") * 2000)
            await self.quiet_loop()
        self.assertEqual(admit.call_count, 1)
        self.assertNotIn(handler, self.chat.hub)

    async def quiet_loop(self) -> None:
        """Let a request pass, so that all that was sent before it has come."""
        await self.bob.fetch("/healthz")

    @tornado.testing.gen_test
    async def test_the_limit_is_one_for_all_sockets_of_a_user_and_another_ones_own(self) -> None:
        first, _ = await self.open(self.anna)
        await first.write(client_frame(PING, b"") * (self.BURST - 1) + client_frame(PING, b"last"))
        await first.read_until(b"last")
        second, _ = await self.open(self.anna)
        await second.write(client_frame(PONG, b""))
        self.assertEqual(close_code(await second.read_until(b"too many frames")), 3009)
        await self.quiet(await self.bob.connect())


class FullBufferTest(ControlFrameCase):
    """A client that does not read, with a buffer that has no room for a control frame."""

    options = {"send_buffer": 256 * 1024, "send_burst": 5000, "frame_burst": 5000}  # noqa: RUF012

    async def fill(self) -> tuple[tornado.iostream.IOStream, ChatSocketHandler]:
        """Return the ends of a socket whose buffer is full to the last byte."""
        bob = await self.bob.connect()
        stream, handler = await self.open(self.anna)
        while not handler.stream.writing():
            await bob.send(self.conv, "🦆" * 4000)
            await bob.receive("message")
        handler.stream.max_write_buffer_size = len(handler.stream._write_buffer)
        return stream, handler

    async def gone(self, stream: tornado.iostream.IOStream, handler: ChatSocketHandler) -> None:
        self.assertNotIn(handler, self.chat.hub)
        self.assertEqual(close_code(await stream.read_until(b"reading too slowly")), 3008)

    @tornado.testing.gen_test
    async def test_a_ping_that_cannot_be_answered_closes_with_3008(self) -> None:
        stream, handler = await self.fill()
        with self.assertNoLogs(level="ERROR"):
            await stream.write(client_frame(PING, b"are you there?"))
            await self.until(lambda: handler not in self.chat.hub)
            await self.gone(stream, handler)

    @tornado.testing.gen_test
    async def test_a_ping_that_cannot_be_sent_closes_with_3008(self) -> None:
        stream, handler = await self.fill()
        connection = handler.ws_connection
        assert connection is not None
        connection.write_ping(b"")
        await self.gone(stream, handler)

    @tornado.testing.gen_test
    async def test_pings_of_who_does_not_read_make_no_buffer_grow(self) -> None:
        stream, handler = await self.fill()
        handler.stream.max_write_buffer_size = None
        before = len(handler.stream._write_buffer)
        await stream.write(client_frame(PING, b"x" * 125) * 500)
        await stream.write(client_frame(TEXT, b'{"type":"shout"}'))
        await self.until(lambda: handler.consecutive_bad_frames == 1)
        self.assertLess(len(handler.stream._write_buffer), before + 2000)
