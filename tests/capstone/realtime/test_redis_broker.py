"""Many processes are one chat: what happens in one is heard in all, with Redis and without."""

import asyncio
import json
from typing import Any
from unittest import mock

import pytest
import redis.asyncio
import sqlalchemy as sa
import tornado.testing

from capstone_chat.options import OptionError
from capstone_chat.realtime import redis_broker
from capstone_chat.realtime.hub import Hub
from capstone_chat.realtime.presence import RemotePresence
from capstone_chat.realtime.redis_broker import RedisBroker
from capstone_chat.storage.tables import members
from tests.capstone.chat_case import Line, Person
from tests.capstone.two_nodes_case import RedisServer, TwoNodesCase
from tests.support.services import REDIS_URL


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
        carrier = self.chat.hub.carrier
        assert carrier is not None
        await self.until(lambda: self.bob.id not in carrier.presence)
        self.assertEqual(await anna.heard(), [])  # he is still here
        here.socket.close()
        self.assertFalse((await anna.receive("presence"))["online"])

    @tornado.testing.gen_test
    async def test_a_process_that_stops_takes_its_people_with_it(self) -> None:
        await self.anna.call("POST", "/api/contacts", {"name": "bob"})
        anna = await self.anna.connect()
        await self.bob_there.connect()
        self.assertTrue((await anna.receive("presence"))["online"])
        await self.second.chat.close()
        self.assertFalse((await anna.receive("presence"))["online"])

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
        async with asyncio.timeout(1):
            self.assertEqual((await bob.receive("member"))["change"], "removed")
        await self.anna_there.fetch("/healthz")
        self.assertEqual([e for e in await bob.heard() if e["type"] == "message"], [])

    @tornado.testing.gen_test
    async def test_a_logout_ends_the_sockets_in_all_processes_within_a_second(self) -> None:
        lines = [await self.bob.connect(), await self.bob_there.connect()]
        await self.bob.submit("/logout", {"_xsrf": await self.bob.token()})
        async with asyncio.timeout(1):
            self.assertEqual([await line.closed() for line in lines], [3500, 3500])

    @tornado.testing.gen_test
    async def test_figures_tell_of_the_other_process(self) -> None:
        await self.until(lambda: self.chat.broker.unhealthy_reason() is None)
        page = (await Person(self, "x").fetch("/metrics")).body.decode()
        self.assertIn("chat_bus_connected 1.0", page)


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
        with self.assertLogs("capstone_chat.realtime.redis_broker", "ERROR"):
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
        await self.until(lambda: self.chat.broker.unhealthy_reason() is None)
        await anna.send(self.conv, "and back")
        self.assertEqual(await next_message(bob), (4, "and back"))
        self.assertEqual(await next_message(new), (4, "and back"))

    @tornado.testing.gen_test
    async def test_a_redis_that_refuses_the_password_is_named_once_while_it_lasts(self) -> None:
        attempts, note = 0, RedisBroker._record_failure

        def count(broker: RedisBroker, error: BaseException) -> None:
            nonlocal attempts
            attempts += broker is self.second.chat.broker
            note(broker, error)

        broker = self.second.chat.broker
        with (
            self.assertLogs("capstone_chat.realtime.redis_broker", "ERROR") as logs,
            mock.patch.object(RedisBroker, "_record_failure", count),
        ):
            self.redis.kill()
            self.redis.password = "hunter2"
            self.redis.start()
            while await self.ready() != (503, redis_broker.REFUSED):
                pass
            before = attempts
            await self.until(lambda: attempts > before + 3)
        for reason in redis_broker.REFUSED, redis_broker.NO_ANSWER:
            said = [line for line in logs.output if reason in line]
            self.assertLessEqual(len(said), 2)  # one of each process
        self.assertNotIn("hunter2", "".join(logs.output))
        self.redis.kill()
        self.redis.password = ""
        self.redis.start()
        await self.until(lambda: broker.unhealthy_reason() is None)

    @tornado.testing.gen_test
    async def test_a_redis_that_refuses_the_password_at_the_start_is_named(self) -> None:
        self.redis.kill()
        self.redis.password = "hunter2"
        self.redis.start()
        for user in "", ":wrong-guess@":
            url = self.redis.url.replace("://", f"://{user}")
            other = RedisBroker(Hub(), url, "x" * 64)
            with self.assertRaises(OptionError) as caught:
                await other.connect()
            self.assertIn(f"--redis: {redis_broker.REFUSED}", str(caught.exception))
            self.assertNotIn("wrong-guess", str(caught.exception))

    @tornado.testing.gen_test
    async def test_a_redis_that_lets_in_and_refuses_to_publish_is_named_once(self) -> None:
        client = redis.asyncio.Redis.from_url(self.redis.url)
        broker, attempts, note = self.second.chat.broker, 0, RedisBroker._record_failure

        def count(broker: RedisBroker, error: BaseException) -> None:
            nonlocal attempts
            attempts += broker is self.second.chat.broker
            note(broker, error)

        with (
            self.assertLogs("capstone_chat.realtime.redis_broker", "ERROR") as logs,
            mock.patch.object(RedisBroker, "_record_failure", count),
        ):
            await client.acl_setuser("default", enabled=True, commands=["-publish"])
            await self.until(lambda: attempts > 3)
            self.assertEqual(await self.ready(), (503, redis_broker.REFUSED))
        self.assertLessEqual(len(logs.output), 2, logs.output)  # one of each process
        await client.acl_setuser("default", enabled=True, commands=["+publish"])
        await client.aclose()
        await self.until(lambda: broker.unhealthy_reason() is None)


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
        socket.schedule_resync()
        self.assertEqual((await bob.receive("pong"))["heads"], {})
        self.assertFalse(self.second.chat.hub.is_subscribed(socket, f"conv:{self.conv}"))
        await self.chat.database.read(lambda c: c.execute(sa.text("SELECT 1")).all())


class Ear:
    """A socket that notes what it hears."""

    session_id = 1

    def __init__(self) -> None:
        self.heard = b""

    def send(self, data: bytes) -> None:
        self.heard += data

    def has_backlog(self) -> bool:
        return False

    def refresh_user(self) -> None: ...

    def schedule_resync(self) -> None: ...

    def disconnect(self, code: int, reason: str) -> None: ...


@pytest.mark.service("redis")
class SecretTest(tornado.testing.AsyncTestCase):
    @tornado.testing.gen_test
    async def test_chats_that_share_a_redis_and_no_secret_hear_nothing_of_each_other(self) -> None:
        hubs = [Hub() for _ in range(3)]
        ears = [Ear() for _ in hubs]
        buses = [
            RedisBroker(hub, REDIS_URL, secret)
            for hub, secret in zip(hubs, ("ours" * 10, "ours" * 10, "theirs" * 10), strict=True)
        ]
        for hub, ear, broker in zip(hubs, ears, buses, strict=True):
            hub.carrier = broker
            await broker.connect()
            hub.subscribe(ear, ["conv:1"])
            await broker.wait_subscribed()
        buses[0].publish("conv:1", b'{"said":1}')
        while not ears[1].heard:  # noqa: ASYNC110
            await asyncio.sleep(0)
        self.assertEqual((len(hubs[0]), buses[2].received, ears[2].heard), (1, 0, b""))
        self.assertEqual(ears[0].heard, ears[1].heard)
        for broker in buses:
            await broker.disconnect()

    @tornado.testing.gen_test
    async def test_the_last_words_of_a_process_are_heard_and_it_is_gone(self) -> None:
        hub, ear = Hub(), Ear()
        hub.carrier = here = RedisBroker(hub, REDIS_URL, "x" * 40)
        await here.connect()
        hub.subscribe(ear, ["conv:1"])
        await here.wait_subscribed()
        there = RedisBroker(Hub(), REDIS_URL, "x" * 40)
        await there.connect()
        there.publish("conv:1", b'{"said":1}')
        await there.disconnect()
        while not ear.heard:  # noqa: ASYNC110
            await asyncio.sleep(0)
        self.assertIn(b'{"said":1}', ear.heard)
        here.subscribe("user:1")
        await here.wait_subscribed()  # all that was said before has come
        self.assertEqual(len(here.presence), 0)
        await here.disconnect()

    @tornado.testing.gen_test
    async def test_what_makes_no_sense_is_logged_and_keeps_nothing_back(self) -> None:
        hub, ear = Hub(), Ear()
        hub.subscribe(ear, ["conv:1", "user:1"])
        broker = RedisBroker(hub, REDIS_URL, "x" * 40)
        with self.assertLogs("capstone_chat.realtime.redis_broker", "ERROR"):
            broker._handle_message("user:1", b"b" * 16, b"o{broken\no[]\n")
            broker._handle_message("people", b"b" * 16, b'{"all": 7}\n[1]\n{"came": {}}')
        broker._handle_message("conv:1", b"b" * 16, b'e{"said":1}')
        await asyncio.sleep(0)
        self.assertIn(b'{"said":1}', ear.heard)
        await broker.disconnect()


def test_a_process_that_falls_silent_is_gone_after_a_while_and_no_sooner() -> None:
    now, told = [0.0], list[Any]()
    elsewhere = RemotePresence(lambda user, online: told.append((user, online)), 15, lambda: now[0])
    elsewhere.apply(b"one", json.loads('{"all": [1, 2]}'))
    elsewhere.apply(b"two", {"came": 2})
    assert told == [(1, True), (2, True)]
    elsewhere.apply(b"one", {"went": 2})
    elsewhere.apply(b"two", {"went": 7})  # who was never there
    assert 2 in elsewhere
    now[0] = 15
    elsewhere.apply(b"two", {"all": [2]})
    elsewhere.expire_stale()
    assert told == [(1, True), (2, True)]
    now[0] = 16
    elsewhere.expire_stale()
    assert told == [(1, True), (2, True), (1, False)]
    now[0] = 100
    elsewhere.reset_timeouts()  # Redis was away, so nobody could be heard
    elsewhere.expire_stale()
    assert 2 in elsewhere
    assert len(elsewhere) == 1
    elsewhere.apply(b"two", {"bye": True})
    assert 2 not in elsewhere
    assert told[-1] == (2, False)
    assert len(elsewhere) == 0
