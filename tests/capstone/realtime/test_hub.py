"""What the hub delivers to which connection, in how many writes, and what it passes to a broker."""

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Any

import tornado.testing

from capstone_chat.realtime import protocol, topics
from capstone_chat.realtime.broker import BrokerHandler
from capstone_chat.realtime.control import (
    ControlMessage,
    DisconnectSessions,
    RefreshUser,
    Resync,
    Subscribe,
    Unsubscribe,
)
from capstone_chat.realtime.hub import Hub
from capstone_chat.realtime.presence import Presence
from capstone_chat.realtime.topics import Topic
from tests.capstone.realtime.fake_connection import FakeConnection

CONV_1, CONV_2, CONV_3, CONV_5 = map(topics.conversation, (1, 2, 3, 5))


class FakeBroker:
    """A broker that records what the hub asks for."""

    def __init__(self) -> None:
        self.presence = Presence()
        self.server_count = 1
        self.counts = Counter[str]()
        self.calls: list[tuple[Any, ...]] = []
        self.subscribed = asyncio.Event()
        self.handler: BrokerHandler | None = None

    async def start(self, handler: BrokerHandler) -> None:
        self.handler = handler

    async def close(self) -> None:
        self.handler = None

    def publish(self, topic: Topic, payload: bytes, *, volatile: bool) -> None:
        self.calls.append(("publish", topic, payload, volatile))

    def send_control(self, topic: Topic, message: ControlMessage) -> None:
        self.calls.append(("control", topic, message))

    def subscribe(self, topic: Topic) -> None:
        self.calls.append(("subscribe", topic))

    def unsubscribe(self, topic: Topic) -> None:
        self.calls.append(("unsubscribe", topic))

    async def wait_subscribed(self) -> None:
        await self.subscribed.wait()

    def unhealthy_reason(self) -> str | None:
        return "the broker is away"


def message(text: str) -> dict[str, Any]:
    return {"type": "message", "text": text}


def frames(*events: dict[str, Any]) -> bytes:
    return b"".join(protocol.encode_text_frame(protocol.encode(event)) for event in events)


A, B, C, D = map(message, "abcd")
ACK = {"type": "ack"}
TYPING = {"type": "typing"}


class HubTest(tornado.testing.AsyncTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.hub = Hub()

    def connect(self, *wanted: Topic, user_id: int = 1, session_id: int = 1) -> FakeConnection:
        connection = FakeConnection(user_id, session_id=session_id)
        self.hub.subscribe(connection, wanted)
        return connection

    async def turn(self) -> None:
        await asyncio.sleep(0)

    @tornado.testing.gen_test
    async def test_the_events_of_one_turn_are_one_write_in_order(self) -> None:
        anna = self.connect(CONV_1)
        for event in A, B, C:
            self.hub.publish(CONV_1, event)
        self.assertEqual(anna.writes, [])
        await self.turn()
        self.assertEqual(anna.writes, [frames(A, B, C)])
        self.hub.publish(CONV_1, D)
        await self.turn()
        self.assertEqual(anna.writes[1:], [frames(D)])

    @tornado.testing.gen_test
    async def test_what_is_held_is_written_in_the_same_turn(self) -> None:
        anna = self.connect(CONV_1)
        self.hub.hold()
        for event in A, B:
            self.hub.publish(CONV_1, event)
        self.assertEqual(anna.writes, [])
        self.hub.flush()
        self.assertEqual(anna.writes, [frames(A, B)])

    @tornado.testing.gen_test
    async def test_two_conversations_are_still_one_write(self) -> None:
        anna = self.connect(CONV_1, CONV_2)
        self.hub.publish(CONV_1, A)
        self.hub.publish(CONV_2, B)
        await self.turn()
        self.assertEqual(anna.writes, [frames(A, B)])

    @tornado.testing.gen_test
    async def test_the_frames_are_joined_once_for_all_subscribers(self) -> None:
        connections = [self.connect(CONV_1) for _ in range(3)]
        self.hub.publish(CONV_1, A)
        self.hub.publish(CONV_1, B)
        await self.turn()
        for connection in connections:
            self.assertIs(connection.writes[0], connections[0].writes[0])

    @tornado.testing.gen_test
    async def test_an_event_for_one_connection_precedes_those_of_its_topics(self) -> None:
        anna, bob = self.connect(CONV_1), self.connect(CONV_1)
        self.hub.publish(CONV_1, A)
        self.hub.send_to(anna, ACK)
        await self.turn()
        self.assertEqual(anna.writes, [frames(ACK, A)])
        self.assertEqual(bob.writes, [frames(A)])

    @tornado.testing.gen_test
    async def test_an_event_reaches_only_the_subscribers_of_its_topic(self) -> None:
        anna, bob = self.connect(CONV_1), self.connect(CONV_2)
        self.hub.publish(CONV_1, A)
        self.hub.publish(CONV_3, C)
        await self.turn()
        self.assertEqual((anna.writes, bob.writes), ([frames(A)], []))

    @tornado.testing.gen_test
    async def test_an_unsubscribed_connection_gets_nothing_more_of_the_same_turn(self) -> None:
        anna = self.connect(CONV_1, CONV_2)
        self.hub.publish(CONV_1, A)
        self.hub.unsubscribe(anna, [CONV_1])
        self.hub.publish(CONV_2, B)
        await self.turn()
        self.assertEqual(anna.writes, [frames(B)])
        self.assertNotIn(CONV_1, self.hub.subscriptions(anna, "conv"))

    @tornado.testing.gen_test
    async def test_volatile_events_are_dropped_for_a_connection_with_a_backlog(self) -> None:
        anna, slow = self.connect(CONV_1), self.connect(CONV_1)
        slow.backlog = True
        volatile = [{"type": type_} for type_ in sorted(protocol.VOLATILE)]
        for event in [*volatile, A]:
            self.hub.publish(CONV_1, event)
        await self.turn()
        self.assertEqual(slow.writes, [frames(A)])
        self.assertEqual(anna.writes, [frames(A, *volatile)])

    @tornado.testing.gen_test
    async def test_heads_that_were_read_while_events_were_published_are_outdated(self) -> None:
        publish, control = self.hub.publish, self.hub.send_control
        user = topics.user(1)
        cases: list[tuple[Callable[[], None], bool]] = [
            (lambda: publish(CONV_5, A), False),
            (lambda: publish(CONV_1, A), True),
            (lambda: control(user, Unsubscribe([CONV_1])), True),
            (lambda: control(user, Subscribe([CONV_5])), True),
        ]
        for meanwhile, outdated in cases:
            connection = FakeConnection()
            self.hub.register(connection)
            meanwhile()
            self.assertEqual(self.hub.complete_subscriptions(connection, [CONV_1]), outdated)
            self.hub.unregister(connection)

    @tornado.testing.gen_test
    async def test_an_unregistered_connection_gets_nothing_and_leaves_nothing_behind(self) -> None:
        anna = FakeConnection()
        self.hub.register(anna)
        self.hub.complete_subscriptions(anna, [CONV_1])
        self.hub.send_to(anna, ACK)
        self.hub.publish(CONV_1, A)
        self.hub.unregister(anna)
        self.hub.send_to(anna, B)
        await self.turn()
        self.assertEqual(anna.writes, [])
        self.assertEqual(len(self.hub), 0)
        left = [value for value in vars(self.hub).values() if isinstance(value, dict)]
        self.assertEqual(left, [{}] * len(left))
        self.assertGreaterEqual(len(left), 6)
        self.hub.unregister(anna)  # a second time changes nothing

    @tornado.testing.gen_test
    async def test_connections_are_counted_by_user_and_by_address(self) -> None:
        one, two, three = (
            FakeConnection(1, address="192.0.2.1"),
            FakeConnection(1, address="192.0.2.2"),
            FakeConnection(2, address="192.0.2.1"),
        )
        for connection in one, two, three:
            self.hub.register(connection)
        self.assertEqual(
            [self.hub.subscriber_count(topics.user(user)) for user in (1, 2, 3)], [2, 1, 0]
        )
        self.assertEqual(self.hub.connections_from("192.0.2.1"), 2)
        for connection in one, one, three:
            self.hub.unregister(connection)
        self.assertEqual([self.hub.subscriber_count(topics.user(user)) for user in (1, 2)], [1, 0])
        self.assertEqual(self.hub.connections_from("192.0.2.1"), 0)
        self.assertEqual(self.hub.connections_from("192.0.2.2"), 1)

    @tornado.testing.gen_test
    async def test_connections_that_close_while_others_are_written_to_disturb_nobody(self) -> None:
        hub = self.hub

        class Closing(FakeConnection):
            def send(self, data: bytes) -> None:
                super().send(data)
                hub.unregister(self)

        closing = [Closing() for _ in range(3)]
        for connection in closing:
            hub.register(connection)
            hub.complete_subscriptions(connection, [CONV_1])
        anna = self.connect(CONV_1)
        hub.publish(CONV_1, A)
        await self.turn()
        hub.publish(CONV_1, B)
        await self.turn()
        self.assertEqual([connection.writes for connection in closing], [[frames(A)]] * 3)
        self.assertEqual(anna.writes, [frames(A), frames(B)])

    @tornado.testing.gen_test
    async def test_an_event_that_is_sent_during_a_flush_follows_in_the_next_turn(self) -> None:
        hub = self.hub

        class Echo(FakeConnection):
            def send(self, data: bytes) -> None:
                super().send(data)
                if len(self.writes) == 1:
                    hub.send_to(self, ACK)

        echo = Echo()
        hub.subscribe(echo, [CONV_1])
        hub.publish(CONV_1, A)
        await self.turn()
        await self.turn()
        self.assertEqual(echo.writes, [frames(A), frames(ACK)])

    @tornado.testing.gen_test
    async def test_control_messages_reach_all_connections_of_a_user_and_no_other(self) -> None:
        user_1, user_2 = topics.user(1), topics.user(2)
        anna, phone = self.connect(user_1, session_id=10), self.connect(user_1, session_id=11)
        bob = self.connect(user_2, user_id=2, session_id=20)
        self.hub.send_control(user_1, Subscribe([CONV_5]))
        self.hub.publish(CONV_5, A)
        await self.turn()
        self.assertEqual([one.writes for one in (anna, phone, bob)], [[frames(A)]] * 2 + [[]])
        self.hub.send_control(user_1, Unsubscribe([CONV_5]))
        for one in anna, phone:
            self.assertNotIn(CONV_5, self.hub.subscriptions(one, "conv"))
        self.hub.send_control(user_1, DisconnectSessions([11]))
        self.hub.send_control(user_2, DisconnectSessions([10]))
        self.assertEqual([one.closed for one in (anna, bob)], [[], []])
        self.assertEqual(phone.closed, [(3500, "session ended")])
        for control in RefreshUser(), Resync():
            self.hub.send_control(user_1, control)
        self.assertEqual(anna.controls, [RefreshUser(), Resync()])
        self.assertEqual((phone.controls, bob.controls), (anna.controls, []))

    @tornado.testing.gen_test
    async def test_shutdown_closes_every_connection(self) -> None:
        connections = [self.connect(topics.user(1)), self.connect(topics.user(2), CONV_1)]
        self.hub.shutdown()
        self.assertEqual([[code for code, _ in one.closed] for one in connections], [[1001]] * 2)


class BrokerTest(tornado.testing.AsyncTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.broker = FakeBroker()
        self.hub = Hub(self.broker)

    @tornado.testing.gen_test
    async def test_the_hub_is_the_handler_of_its_broker_from_start_to_close(self) -> None:
        await self.hub.start()
        self.assertIs(self.broker.handler, self.hub)
        self.assertEqual(self.hub.unhealthy_reason(), "the broker is away")
        await self.hub.close()
        self.assertIsNone(self.broker.handler)
        self.assertIsNone(Hub().unhealthy_reason())

    @tornado.testing.gen_test
    async def test_the_broker_subscribes_once_and_carries_events_and_control_messages(self) -> None:
        one, two = FakeConnection(1), FakeConnection(1)
        user = topics.user(1)
        self.hub.register(one)
        self.hub.register(two)
        self.hub.publish(user, A)
        self.hub.publish(user, TYPING)
        self.hub.send_control(user, Unsubscribe([CONV_1]))
        self.hub.unregister(one)
        self.hub.unregister(two)
        self.assertEqual(
            self.broker.calls,
            [
                ("subscribe", user),
                ("publish", user, protocol.encode(A), False),
                ("publish", user, protocol.encode(TYPING), True),
                ("control", user, Unsubscribe([CONV_1])),
                ("unsubscribe", user),
            ],
        )

    @tornado.testing.gen_test
    async def test_a_new_subscription_is_followed_by_a_resync_when_it_has_taken_effect(
        self,
    ) -> None:
        anna, user = FakeConnection(1), topics.user(1)
        self.hub.register(anna)
        self.hub.send_control(user, Subscribe([CONV_5]))
        await asyncio.sleep(0)
        self.assertEqual(anna.controls, [])
        self.broker.subscribed.set()
        while not anna.controls:  # noqa: ASYNC110 - the task of the hub runs in between
            await asyncio.sleep(0)
        self.assertEqual(anna.controls, [Resync()])

    @tornado.testing.gen_test
    async def test_no_resync_follows_where_nothing_new_is_asked_of_the_broker(self) -> None:
        self.broker.subscribed.set()
        anna, bob = FakeConnection(1), FakeConnection(2)
        for connection in anna, bob:
            self.hub.register(connection)
        self.hub.complete_subscriptions(bob, [CONV_5])
        self.hub.send_control(topics.user(1), Subscribe([CONV_5]))
        self.hub.send_control(topics.user(3), Subscribe([CONV_1]))
        for _ in range(5):
            await asyncio.sleep(0)
        self.assertEqual((anna.controls, bob.controls), ([], []))
