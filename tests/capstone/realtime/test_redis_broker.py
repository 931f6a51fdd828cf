"""Many processes are one chat: what happens in one is heard in all, with Redis and without."""

import asyncio
from unittest import mock

import pytest
import redis.asyncio
import sqlalchemy as sa
import tornado.testing

from capstone_chat.options import OptionError
from capstone_chat.realtime import presence, protocol, redis_link, topics
from capstone_chat.realtime.control import Resync, Unsubscribe
from capstone_chat.realtime.hub import Hub
from capstone_chat.realtime.redis_broker import RedisBroker
from capstone_chat.realtime.redis_link import RedisLink
from capstone_chat.storage.tables import members
from tests.capstone.chat_case import LESS_THAN_A_PING, Line, Person
from tests.capstone.realtime.fake_connection import FakeConnection
from tests.capstone.two_nodes_case import RedisServer, TwoNodesCase
from tests.support.services import REDIS_URL, require

CONV_1 = topics.conversation(1)
EVENT = {"type": "message", "text": "hello"}


async def next_message(line: Line) -> tuple[int, str]:
    event = await line.receive("message")
    return event["seq"], event["text"]


@pytest.mark.service("redis")
class TwoProcessesTest(TwoNodesCase):
    @tornado.testing.gen_test
    async def test_a_message_reaches_every_member_once_wherever_they_are_connected(self) -> None:
        here, tab = await self.anna.connect(), await self.anna_there.connect()
        bob = await self.bob_there.connect()
        await here.send(self.conv, "from the first")
        self.assertEqual(await next_message(bob), (3, "from the first"))
        await bob.send(self.conv, "from the second")
        for line in here, tab, bob:
            while line.seen[-1].get("text") != "from the second":
                await line.receive("message")
            seqs = [event["seq"] for event in line.seen if event["type"] == "message"]
            self.assertEqual(seqs, [3, 4])

    @tornado.testing.gen_test
    async def test_many_messages_of_both_come_to_all_in_one_order(self) -> None:
        lines = [await self.anna.connect(), await self.bob_there.connect()]
        for number in range(30):
            for line in lines:
                await line.send(self.conv, f"message {number}")
        for line in lines:
            got: list[int] = []
            while len(got) < 60:
                got.append((await line.receive("message"))["seq"])
            self.assertEqual(sorted(got), list(range(3, 63)))
        history = (await self.anna.call("GET", f"/api/conversations/{self.conv}/events"))[1]
        self.assertEqual([e["seq"] for e in history["events"]], list(range(1, 63)))

    @tornado.testing.gen_test
    async def test_who_is_typing_is_seen(self) -> None:
        anna, bob = await self.anna.connect(), await self.bob_there.connect()
        await bob.say(type="typing", conv=self.conv)
        self.assertEqual((await anna.receive("typing"))["from"]["id"], self.bob.id)

    @tornado.testing.gen_test
    async def test_somebody_is_online_from_the_first_socket_to_the_last_in_all_processes(
        self,
    ) -> None:
        await self.anna.call("POST", "/api/contacts", {"name": "bob"})
        anna = await self.anna.connect()
        self.assertEqual(anna.hello["online"], [])
        there = await self.bob_there.connect()
        self.assertTrue((await anna.receive("presence"))["online"])
        here = await self.bob.connect()
        self.assertEqual((await self.anna.connect()).hello["online"], [self.bob.id])
        _, answer = await self.anna.call("GET", "/api/contacts")
        self.assertEqual([c["online"] for c in answer["contacts"]], [True])
        there.socket.close()
        await self.until(lambda: not self.second.chat.hub)
        await self.second.chat.active_requests.wait_until_empty(5)
        self.assertEqual(await anna.heard(), [])  # he is still here
        here.socket.close()
        self.assertFalse((await anna.receive("presence"))["online"])

    @tornado.testing.gen_test
    async def test_who_changes_over_from_a_process_that_stops_stays_online(self) -> None:
        await self.anna.call("POST", "/api/contacts", {"name": "bob"})
        anna = await self.anna.connect()
        await self.bob_there.connect()
        self.assertTrue((await anna.receive("presence"))["online"])
        await self.second.chat.close()
        await self.bob.connect()
        self.assertEqual(await anna.heard(), [])
        self.assertEqual((await self.anna.connect()).hello["online"], [self.bob.id])

    @tornado.testing.gen_test
    async def test_the_next_ping_repairs_what_a_page_shows_of_who_is_online(self) -> None:
        await self.anna.call("POST", "/api/contacts", {"name": "bob"})
        anna = await self.anna.connect()
        await self.bob_there.connect()
        self.assertTrue((await anna.receive("presence"))["online"])
        broker = self.second.chat.hub.broker
        assert isinstance(broker, RedisBroker)
        client = redis.asyncio.Redis.from_url(require("redis"))
        await client.delete(f"{broker._prefix}{{0}}:{self.bob.id}")  # as after the expiry
        await client.aclose()
        (connection,) = self.chat.hub._subscriptions
        connection.handle_control(Resync())
        self.assertEqual((await anna.receive("pong"))["online"], [])
        await broker.presence.refresh()
        connection.handle_control(Resync())
        self.assertEqual((await anna.receive("pong"))["online"], [self.bob.id])

    @tornado.testing.gen_test
    async def test_who_is_added_in_one_process_hears_the_group_in_the_other(self) -> None:
        carl = await self.person("carl")
        line = await self.second.visit(carl).connect()
        await carl.call("POST", "/api/contacts", {"name": "anna"})
        body = {"name": "carl"}
        code, _ = await self.anna.call("POST", f"/api/groups/{self.conv}/members", body)
        self.assertEqual(code, 200)
        # What was said before this process heard the group is in the heads.
        while (heads := (await line.receive("pong"))["heads"]) != {str(self.conv): 3}:
            self.assertEqual(heads, {})
        anna = await self.anna.connect()
        await anna.send(self.conv, "Welcome")
        self.assertEqual(await next_message(line), (4, "Welcome"))

    @tornado.testing.gen_test
    async def test_who_is_removed_in_one_process_hears_that_and_nothing_more_in_the_other(
        self,
    ) -> None:
        anna, bob = await self.anna.connect(), await self.bob_there.connect()
        await self.anna_there.connect()  # so that the other process goes on hearing the group
        await self.anna.call("DELETE", f"/api/groups/{self.conv}/members/{self.bob.id}")
        await anna.send(self.conv, "He has gone")
        async with asyncio.timeout(LESS_THAN_A_PING):
            self.assertEqual((await bob.receive("member"))["change"], "removed")
        await self.anna_there.fetch("/healthz")
        self.assertEqual([e for e in await bob.heard() if e["type"] == "message"], [])

    @tornado.testing.gen_test
    async def test_a_logout_ends_the_sockets_in_all_processes_at_once(self) -> None:
        lines = [await self.bob.connect(), await self.bob_there.connect()]
        await self.bob.log_out()
        async with asyncio.timeout(LESS_THAN_A_PING):
            self.assertEqual([await line.closed() for line in lines], [3500, 3500])

    @tornado.testing.gen_test
    async def test_figures_tell_of_the_other_process(self) -> None:
        await self.until(lambda: self.chat.hub.unhealthy_reason() is None)
        page = (await Person(self, "x").fetch("/metrics")).body.decode()
        self.assertIn("chat_broker_connected 1.0", page)


@pytest.mark.service("redis-server")
class RedisLostTest(TwoNodesCase):
    def redis_url(self) -> str:
        self.redis = RedisServer()
        self.addCleanup(self.redis.kill)
        return self.redis.url

    async def ready(self) -> tuple[int, str]:
        response = await Person(self.second, "x").fetch("/readyz")
        return response.code, response.body.decode().strip()

    @tornado.testing.gen_test
    async def test_without_redis_messages_are_stored_and_with_it_all_is_well_by_itself(
        self,
    ) -> None:
        anna, bob = await self.anna.connect(), await self.bob_there.connect()
        self.assertEqual(await self.ready(), (200, "ready"))
        with self.assertLogs("capstone_chat.realtime.redis_link", "ERROR"):
            self.redis.kill()
            while (await self.ready())[0] == 200:
                pass
        self.assertEqual(await self.ready(), (503, "redis does not answer"))
        self.assertEqual((await Person(self, "x").fetch("/healthz")).code, 200)

        await anna.send(self.conv, "while it is away")
        self.assertEqual((await anna.receive("ack"))["seq"], 3)
        self.assertEqual(await next_message(anna), (3, "while it is away"))
        await bob.say(type="ping")  # the client's next ping brings what was missed
        self.assertEqual((await bob.receive("pong"))["heads"], {str(self.conv): 3})
        new = await self.anna_there.connect()  # nobody waits for a Redis that is away
        self.assertEqual(new.hello["heads"], {str(self.conv): 3})

        self.redis.start()
        while (await self.ready())[0] == 503:
            pass
        await self.until(lambda: self.chat.hub.unhealthy_reason() is None)
        await anna.send(self.conv, "and back")
        self.assertEqual(await next_message(bob), (4, "and back"))
        self.assertEqual(await next_message(new), (4, "and back"))

    @tornado.testing.gen_test
    async def test_a_redis_that_refuses_the_password_is_named_once_while_it_lasts(self) -> None:
        note = mock.patch.object(
            RedisLink, "_record_failure", autospec=True, side_effect=RedisLink._record_failure
        )
        with self.assertLogs("capstone_chat.realtime.redis_link", "ERROR") as logs, note as noted:
            self.redis.kill()
            self.redis.password = "hunter2"
            self.redis.start()
            while await self.ready() != (503, redis_link.REFUSED):
                pass
            before = noted.call_count
            await self.until(lambda: noted.call_count > before + 6)
        for reason in redis_link.REFUSED, redis_link.NO_ANSWER:
            said = [line for line in logs.output if reason in line]
            self.assertLessEqual(len(said), 2, logs.output)  # one of each process
        self.assertNotIn("hunter2", "".join(logs.output))
        self.redis.kill()
        self.redis.password = ""
        self.redis.start()
        await self.until(lambda: self.second.chat.hub.unhealthy_reason() is None)

    @tornado.testing.gen_test
    async def test_a_redis_that_refuses_the_password_at_the_start_is_named(self) -> None:
        self.redis.kill()
        self.redis.password = "hunter2"
        self.redis.start()
        for user in "", ":wrong-guess@":
            url = self.redis.url.replace("://", f"://{user}")
            other = Hub(RedisBroker(url, "x" * 64))
            with self.assertRaises(OptionError) as caught:
                await other.start()
            self.assertIn(f"--redis: {redis_link.REFUSED}", str(caught.exception))
            self.assertNotIn("wrong-guess", str(caught.exception))

    @tornado.testing.gen_test
    async def test_a_redis_that_lets_in_and_refuses_to_publish_is_named_once(self) -> None:
        client = redis.asyncio.Redis.from_url(self.redis.url)
        note = mock.patch.object(
            RedisLink, "_record_failure", autospec=True, side_effect=RedisLink._record_failure
        )
        with self.assertLogs("capstone_chat.realtime.redis_link", "ERROR") as logs, note as noted:
            await client.acl_setuser("default", enabled=True, commands=["-publish"])
            await self.until(lambda: noted.call_count > 6)
            self.assertEqual(await self.ready(), (503, redis_link.REFUSED))
        self.assertLessEqual(len(logs.output), 2, logs.output)  # one of each process
        await client.acl_setuser("default", enabled=True, commands=["+publish"])
        await client.aclose()
        await self.until(lambda: self.second.chat.hub.unhealthy_reason() is None)


class WithoutRedisTest(TwoNodesCase):
    joined = False

    @tornado.testing.gen_test
    async def test_two_processes_converge_with_the_next_ping(self) -> None:
        anna, bob = await self.anna.connect(), await self.bob_there.connect()
        await anna.send(self.conv, "Hello")
        await anna.receive("ack")
        await bob.say(type="ping")
        self.assertEqual((await bob.receive("pong"))["heads"], {str(self.conv): 3})
        await bob.send(self.conv, "Hello back")
        self.assertEqual((await bob.receive("ack"))["seq"], 4)

    @tornado.testing.gen_test
    async def test_who_was_removed_elsewhere_hears_nothing_after_the_next_ping(self) -> None:
        bob, there = await self.bob_there.connect(), await self.anna_there.connect()
        await self.anna.call("DELETE", f"/api/groups/{self.conv}/members/{self.bob.id}")
        await bob.say(type="ping")
        self.assertEqual((await bob.receive("pong"))["heads"], {})
        await there.send(self.conv, "He has gone")
        await there.receive("message")
        self.assertEqual(await bob.heard(), [])

    @tornado.testing.gen_test
    async def test_who_was_added_elsewhere_hears_all_from_the_next_ping_on(self) -> None:
        carl = self.second.visit(await self.person("carl"))
        await carl.call("POST", "/api/contacts", {"name": "anna"})
        line, there = await carl.connect(), await self.anna_there.connect()
        await self.anna.call("POST", f"/api/groups/{self.conv}/members", {"name": "carl"})
        await line.say(type="ping")
        self.assertEqual((await line.receive("pong"))["heads"], {str(self.conv): 3})
        await there.send(self.conv, "Welcome")
        self.assertEqual(await next_message(line), (4, "Welcome"))

    @tornado.testing.gen_test
    async def test_one_who_sends_no_pings_is_looked_at_when_answering_the_servers(self) -> None:
        bob = await self.bob_there.connect()
        (socket,) = self.second.chat.hub._subscriptions
        place = members.delete().where(members.c.user_id == self.bob.id)
        await self.chat.database.write(lambda c: c.execute(place))
        socket.handle_control(Resync())
        self.assertEqual((await bob.receive("pong"))["heads"], {})
        self.assertEqual(self.second.chat.hub.subscriptions(socket, "conv"), set())
        await self.chat.database.read(lambda c: c.execute(sa.text("SELECT 1")).all())


@pytest.mark.service("redis")
class SecretTest(tornado.testing.AsyncTestCase):
    @tornado.testing.gen_test
    async def test_chats_with_the_same_redis_and_another_secret_receive_nothing(self) -> None:
        brokers = [RedisBroker(REDIS_URL, secret * 10) for secret in ("ours", "ours", "theirs")]
        hubs = [Hub(broker) for broker in brokers]
        connections = [FakeConnection() for _ in hubs]
        for hub, connection in zip(hubs, connections, strict=True):
            await hub.start()
            hub.subscribe(connection, [CONV_1])
            await hub.wait_subscribed()
        hubs[0].publish(CONV_1, EVENT)
        while not connections[1].writes:  # noqa: ASYNC110
            await asyncio.sleep(0)
        self.assertEqual((brokers[2].counts["received"], connections[2].writes), (0, []))
        self.assertEqual(connections[0].writes, connections[1].writes)
        for hub in hubs:
            await hub.close()

    @tornado.testing.gen_test
    async def test_what_a_process_publishes_before_it_closes_arrives(self) -> None:
        here, there = (RedisBroker(REDIS_URL, "x" * 40) for _ in range(2))
        hub, other, connection = Hub(here), Hub(there), FakeConnection()
        await hub.start()
        hub.subscribe(connection, [CONV_1])
        await hub.wait_subscribed()
        await other.start()
        other.publish(CONV_1, EVENT)
        await other.close()
        while not connection.writes:  # noqa: ASYNC110
            await asyncio.sleep(0)
        self.assertIn(protocol.encode(EVENT), connection.writes[0])
        await hub.close()

    @tornado.testing.gen_test
    async def test_a_stop_that_redis_does_not_take_is_logged_and_goes_on(self) -> None:
        broker = RedisBroker(REDIS_URL, "x" * 40)
        hub = Hub(broker)
        await hub.start()
        lost = redis.exceptions.ConnectionError("gone")
        with (
            mock.patch.object(RedisLink, "_flush", side_effect=lost),
            self.assertLogs(redis_link.log, "WARNING") as logged,
        ):
            await hub.close()
        self.assertIn("the last events were not published: gone", logged.output[0])

    @tornado.testing.gen_test
    async def test_a_control_message_keeps_its_place_among_the_events_of_all_topics(self) -> None:
        hub, other = (Hub(RedisBroker(REDIS_URL, "x" * 40)) for _ in range(2))
        connection = FakeConnection(1)
        for one in hub, other:
            await one.start()
        hub.register(connection)
        hub.complete_subscriptions(connection, [CONV_1])
        await hub.wait_subscribed()
        other.publish(CONV_1, {"type": "message", "text": "before"})
        other.send_control(topics.user(1), Unsubscribe([CONV_1]))
        other.publish(CONV_1, {"type": "message", "text": "after"})
        other.publish(topics.user(1), {"type": "message", "text": "end"})
        while b"end" not in b"".join(connection.writes):  # noqa: ASYNC110
            await asyncio.sleep(0)
        received = b"".join(connection.writes)
        self.assertIn(b"before", received)
        self.assertNotIn(b"after", received)
        for one in hub, other:
            await one.close()

    @tornado.testing.gen_test
    async def test_a_line_that_is_not_understood_is_logged_and_the_others_are_handled(self) -> None:
        broker, connection = RedisBroker(REDIS_URL, "x" * 40), FakeConnection()
        hub = Hub(broker)
        await hub.start()
        hub.subscribe(connection, [CONV_1, topics.user(1)])
        with self.assertLogs("capstone_chat.realtime.redis_broker", "ERROR") as logs:
            sender = b"b" * 16
            broker._handle_publication("user:1", sender + b'c{broken\nc[]\nc{"type":"Leave"}')
            broker._handle_publication("planet:1", sender + b"e{}")
            broker._handle_publication("conv:x", sender + b"e{}")
        self.assertEqual(len(logs.output), 5)
        broker._handle_publication("conv:1", sender + b"e" + protocol.encode(EVENT))
        await asyncio.sleep(0)
        self.assertIn(protocol.encode(EVENT), connection.writes[0])
        await hub.close()


@pytest.mark.service("redis")
class RedisPresenceTest(tornado.testing.AsyncTestCase):
    async def start(self) -> RedisBroker:
        broker = RedisBroker(REDIS_URL, "presence" * 5)
        await Hub(broker).start()
        return broker

    async def connect(self, broker: RedisBroker, user_id: int) -> bool:
        broker.presence.here.add(user_id)
        return await broker.presence.write(user_id)

    async def disconnect(self, broker: RedisBroker, user_id: int) -> bool:
        broker.presence.here.discard(user_id)
        return await broker.presence.write(user_id)

    @tornado.testing.gen_test
    async def test_the_users_of_a_killed_process_are_offline_after_the_expiry(self) -> None:
        killed, other, watching = [await self.start() for _ in range(3)]
        with mock.patch.object(presence, "EXPIRY", 1):
            self.assertTrue(await self.connect(killed, 1))
            self.assertTrue(await self.connect(killed, 2))
            self.assertFalse(await self.connect(other, 2))  # online already
            await killed.close()  # it leaves its entries, as after a kill
            self.assertEqual(await watching.presence.online_among([1, 2, 3]), {1, 2})
            while 1 in await watching.presence.online_among([1]):
                await other.presence.refresh()
            self.assertEqual(await watching.presence.online_among([1, 2, 3]), {2})
            # The entry of the killed process does not keep the user online.
            self.assertTrue(await self.disconnect(other, 2))
            self.assertEqual(await watching.presence.online_among([1, 2, 3]), set())
        for broker in other, watching:
            await broker.close()

    @tornado.testing.gen_test
    async def test_what_redis_has_lost_is_back_with_the_next_refresh(self) -> None:
        here, watching = await self.start(), await self.start()
        await self.connect(here, 1)
        client = redis.asyncio.Redis.from_url(REDIS_URL)
        await client.delete(f"{here._prefix}{{0}}:1")
        await client.aclose()
        self.assertEqual(await watching.presence.online_among([1]), set())
        await here.presence.refresh()
        self.assertEqual(await watching.presence.online_among([1]), {1})
        await self.disconnect(here, 1)
        for broker in here, watching:
            await broker.close()

    @tornado.testing.gen_test
    async def test_a_connection_again_before_the_end_was_written_is_no_change(self) -> None:
        here = await self.start()
        await self.connect(here, 1)
        here.presence.here.discard(1)
        here.presence.here.add(1)
        self.assertFalse(await here.presence.write(1))
        await self.disconnect(here, 1)
        await here.close()


def test_a_parameter_that_redis_does_not_have_is_an_error_of_the_option() -> None:
    with pytest.raises(OptionError, match=r"--redis: .*no_such_parameter"):
        RedisBroker("redis://127.0.0.1:6379/0?no_such_parameter=1", "x" * 40)
