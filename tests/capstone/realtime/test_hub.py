"""Who hears what, and in how many writes."""

import asyncio

import tornado.testing

from capstone_chat.realtime import protocol, topics
from capstone_chat.realtime.broker import LocalBroker
from capstone_chat.realtime.hub import Hub


class Ear:
    """A socket that remembers what was written to it."""

    def __init__(self, session_id: int = 1) -> None:
        self.session_id = session_id
        self.writes: list[bytes] = []
        self.ends: list[tuple[int, str]] = []
        self.behind = False

    def send(self, data: bytes) -> None:
        self.writes.append(data)

    def has_backlog(self) -> bool:
        return self.behind

    def refresh_user(self) -> None:
        """Its user stays the same."""

    def schedule_resync(self) -> None:
        """It has no client that could have missed something."""

    def disconnect(self, code: int, reason: str) -> None:
        self.ends.append((code, reason))


def frames(*payloads: bytes) -> bytes:
    return b"".join(map(protocol.encode_text_frame, payloads))


class HubTest(tornado.testing.AsyncTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.hub = Hub()

    def ear(self, *topics: str, session_id: int = 1) -> Ear:
        ear = Ear(session_id)
        self.hub.subscribe(ear, topics)
        return ear

    async def turn(self) -> None:
        await asyncio.sleep(0)

    @tornado.testing.gen_test
    async def test_what_one_turn_brings_is_one_write_in_order(self) -> None:
        anna = self.ear("conv:1")
        for payload in b"a", b"b", b"c":
            self.hub.deliver("conv:1", payload)
        self.assertEqual(anna.writes, [])
        await self.turn()
        self.assertEqual(anna.writes, [frames(b"a", b"b", b"c")])
        self.hub.deliver("conv:1", b"d")
        await self.turn()
        self.assertEqual(anna.writes[1:], [frames(b"d")])

    @tornado.testing.gen_test
    async def test_two_conversations_are_still_one_write(self) -> None:
        anna = self.ear("conv:1", "conv:2")
        self.hub.deliver("conv:1", b"a")
        self.hub.deliver("conv:2", b"b")
        await self.turn()
        self.assertEqual(anna.writes, [frames(b"a", b"b")])

    @tornado.testing.gen_test
    async def test_the_frames_are_joined_once_for_all_who_hear_them(self) -> None:
        ears = [self.ear("conv:1") for _ in range(3)]
        self.hub.deliver("conv:1", b"a")
        self.hub.deliver("conv:1", b"b")
        await self.turn()
        first = ears[0].writes[0]
        for ear in ears:
            self.assertIs(ear.writes[0], first)

    @tornado.testing.gen_test
    async def test_a_reply_goes_first_though_it_comes_last(self) -> None:
        anna, bob = self.ear("conv:1"), self.ear("conv:1")
        self.hub.deliver("conv:1", b"message")
        self.hub.send_to(anna, b"ack")
        await self.turn()
        self.assertEqual(anna.writes, [frames(b"ack", b"message")])
        self.assertEqual(bob.writes, [frames(b"message")])

    @tornado.testing.gen_test
    async def test_nobody_hears_a_topic_that_is_not_theirs(self) -> None:
        anna, bob = self.ear("conv:1"), self.ear("conv:2")
        self.hub.deliver("conv:1", b"a")
        self.hub.deliver("conv:3", b"c")
        await self.turn()
        self.assertEqual((anna.writes, bob.writes), ([frames(b"a")], []))

    @tornado.testing.gen_test
    async def test_who_leaves_hears_nothing_more_not_even_of_this_turn(self) -> None:
        anna = self.ear("conv:1", "conv:2")
        self.hub.deliver("conv:1", b"a")
        self.hub.unsubscribe(anna, ["conv:1"])
        self.hub.deliver("conv:2", b"b")
        await self.turn()
        self.assertEqual(anna.writes, [frames(b"b")])
        self.assertFalse(self.hub.is_subscribed(anna, "conv:1"))

    @tornado.testing.gen_test
    async def test_a_dropped_socket_gets_nothing_and_leaves_nothing_behind(self) -> None:
        anna = self.ear("conv:1", "user:1")
        self.hub.send_to(anna, b"ack")
        self.hub.deliver("conv:1", b"a")
        self.hub.unregister(anna)
        self.hub.send_to(anna, b"late")
        await self.turn()
        self.assertEqual(anna.writes, [])
        self.assertEqual(len(self.hub), 0)
        left = [v for k, v in vars(self.hub).items() if isinstance(v, dict)]
        self.assertEqual(left, [{}] * len(left))
        self.assertGreaterEqual(len(left), 5)
        self.hub.unregister(anna)  # to close twice is nothing

    @tornado.testing.gen_test
    async def test_sockets_that_drop_while_the_turn_is_written_trouble_nobody(self) -> None:
        hub = self.hub

        class Slow(Ear):
            def send(self, data: bytes) -> None:
                super().send(data)
                hub.unregister(self)

        slow = [Slow() for _ in range(3)]
        for ear in slow:
            hub.subscribe(ear, ["conv:1"])
        anna = self.ear("conv:1")
        hub.deliver("conv:1", b"a")
        await self.turn()
        hub.deliver("conv:1", b"b")
        await self.turn()
        self.assertEqual([ear.writes for ear in slow], [[frames(b"a")]] * 3)
        self.assertEqual(anna.writes, [frames(b"a"), frames(b"b")])
        self.assertEqual(hub.subscriber_count("conv:1"), 1)

    @tornado.testing.gen_test
    async def test_what_is_said_while_a_turn_is_written_goes_out_in_the_next(self) -> None:
        hub = self.hub

        class Echo(Ear):
            def send(self, data: bytes) -> None:
                super().send(data)
                if len(self.writes) == 1:
                    hub.send_to(self, b"echo")

        echo = Echo()
        hub.subscribe(echo, ["conv:1"])
        hub.deliver("conv:1", b"a")
        await self.turn()
        await self.turn()
        self.assertEqual(echo.writes, [frames(b"a"), frames(b"echo")])

    @tornado.testing.gen_test
    async def test_orders_reach_all_sockets_of_a_user_and_no_other(self) -> None:
        anna, annas_phone = self.ear("user:1", session_id=10), self.ear("user:1", session_id=11)
        bob = self.ear("user:2", session_id=20)
        local = LocalBroker(self.hub)
        local.send_control(topics.user(1), {"enter": ["conv:5"]})
        local.publish(topics.conversation(5), b"a")
        await self.turn()
        self.assertEqual((anna.writes, annas_phone.writes), ([frames(b"a")], [frames(b"a")]))
        self.assertEqual(bob.writes, [])
        local.send_control(topics.user(1), {"leave": ["conv:5"]})
        self.assertEqual(self.hub.subscriber_count("conv:5"), 0)
        local.send_control(topics.user(1), {"end_sessions": [11]})
        local.send_control(topics.user(2), {"end_sessions": [10]})
        self.assertEqual(annas_phone.ends, [(3500, "session ended")])
        self.assertEqual((anna.ends, bob.ends), ([], []))

    @tornado.testing.gen_test
    async def test_closing_says_goodbye_to_every_socket(self) -> None:
        ears = [self.ear("user:1"), self.ear("user:2", "conv:1")]
        self.hub.shutdown()
        self.assertEqual([[code for code, _ in ear.ends] for ear in ears], [[1001], [1001]])
