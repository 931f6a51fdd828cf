"""Many processes are one chat: what happens in one is heard in all, with Redis and without."""

import asyncio
import json
from typing import Any

import pytest
import sqlalchemy as sa
import tornado.testing

from capstone_chat.elsewhere import Elsewhere
from capstone_chat.hub import Hub
from capstone_chat.redis_bus import RedisBus
from capstone_chat.schema import members
from tests.capstone.chat_case import Line, Person
from tests.capstone.many_case import ManyCase, RedisServer
from tests.services import REDIS_URL


async def next_message(line: Line) -> tuple[int, str]:
    event = await line.receive("message")
    return event["seq"], event["text"]


@pytest.mark.service("redis")
class TwoProcessesTest(ManyCase):
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
        await self.until(lambda: self.bob.id not in self.chat.hub.carrier.elsewhere)
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
        await self.until(lambda: self.chat.bus.problem() is None)
        page = (await Person(self, "x").fetch("/metrics")).body.decode()
        self.assertIn("chat_bus_connected 1.0", page)


@pytest.mark.service("redis-server")
class RedisLostTest(ManyCase):
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
        with self.assertLogs("capstone_chat.redis_bus", "ERROR"):
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
        await self.until(lambda: self.chat.bus.problem() is None)
        await anna.send(self.conv, "and back")
        self.assertEqual(await next_message(bob), (4, "and back"))
        self.assertEqual(await next_message(new), (4, "and back"))


class WithoutRedisTest(ManyCase):
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
        line, there = await carl.connect(), await self.anna_there.connect()
        await self.anna.call("POST", f"/api/groups/{self.conv}/members", {"name": "carl"})
        await line.say(type="ping")
        self.assertEqual((await line.receive("pong"))["heads"], {str(self.conv): 3})
        await there.send(self.conv, "Welcome")
        self.assertEqual(await next_message(line), (4, "Welcome"))

    @tornado.testing.gen_test
    async def test_one_who_sends_no_pings_is_looked_at_when_answering_the_servers(self) -> None:
        bob = await self.bob_there.connect()
        (socket,) = self.second.chat.hub._topics
        place = members.delete().where(members.c.user_id == self.bob.id)
        await self.chat.database.write(lambda c: c.execute(place))
        socket.look_again()
        self.assertEqual((await bob.receive("pong"))["heads"], {})
        self.assertFalse(self.second.chat.hub.hears(socket, f"conv:{self.conv}"))
        await self.chat.database.read(lambda c: c.execute(sa.text("SELECT 1")).all())


class Ear:
    """A socket that notes what it hears."""

    session_id = 1

    def __init__(self) -> None:
        self.heard = b""

    def send(self, data: bytes) -> None:
        self.heard += data

    def is_behind(self) -> bool:
        return False

    def renew(self) -> None: ...

    def look_again(self) -> None: ...

    def end(self, code: int, reason: str) -> None: ...


@pytest.mark.service("redis")
class SecretTest(tornado.testing.AsyncTestCase):
    @tornado.testing.gen_test
    async def test_chats_that_share_a_redis_and_no_secret_hear_nothing_of_each_other(self) -> None:
        hubs = [Hub() for _ in range(3)]
        ears = [Ear() for _ in hubs]
        buses = [
            RedisBus(hub, REDIS_URL, secret)
            for hub, secret in zip(hubs, ("ours" * 10, "ours" * 10, "theirs" * 10), strict=True)
        ]
        for hub, ear, bus in zip(hubs, ears, buses, strict=True):
            hub.carrier = bus
            await bus.open()
            hub.enter(ear, ["conv:1"])
            await bus.settled()
        buses[0].publish("conv:1", b'{"said":1}')
        while not ears[1].heard:  # noqa: ASYNC110
            await asyncio.sleep(0)
        self.assertEqual((len(hubs[0]), buses[2].received, ears[2].heard), (1, 0, b""))
        self.assertEqual(ears[0].heard, ears[1].heard)
        for bus in buses:
            await bus.close()

    @tornado.testing.gen_test
    async def test_the_last_words_of_a_process_are_heard_and_it_is_gone(self) -> None:
        hub, ear = Hub(), Ear()
        hub.carrier = here = RedisBus(hub, REDIS_URL, "x" * 40)
        await here.open()
        hub.enter(ear, ["conv:1"])
        await here.settled()
        there = RedisBus(Hub(), REDIS_URL, "x" * 40)
        await there.open()
        there.publish("conv:1", b'{"said":1}')
        await there.close()
        while not ear.heard:  # noqa: ASYNC110
            await asyncio.sleep(0)
        self.assertIn(b'{"said":1}', ear.heard)
        here.listen("user:1")
        await here.settled()  # all that was said before has come
        self.assertEqual(len(here.elsewhere), 0)
        await here.close()

    @tornado.testing.gen_test
    async def test_what_makes_no_sense_is_logged_and_keeps_nothing_back(self) -> None:
        hub, ear = Hub(), Ear()
        hub.enter(ear, ["conv:1", "user:1"])
        bus = RedisBus(hub, REDIS_URL, "x" * 40)
        with self.assertLogs("capstone_chat.redis_bus", "ERROR"):
            bus._take("user:1", b"b" * 16, b"o{broken\no[]\n")
            bus._take("people", b"b" * 16, b'{"all": 7}\n[1]\n{"came": {}}')
        bus._take("conv:1", b"b" * 16, b'e{"said":1}')
        await asyncio.sleep(0)
        self.assertIn(b'{"said":1}', ear.heard)
        await bus.close()


def test_a_process_that_falls_silent_is_gone_after_a_while_and_no_sooner() -> None:
    now, told = [0.0], list[Any]()
    elsewhere = Elsewhere(lambda user, online: told.append((user, online)), 15, lambda: now[0])
    elsewhere.hear(b"one", json.loads('{"all": [1, 2]}'))
    elsewhere.hear(b"two", {"came": 2})
    assert told == [(1, True), (2, True)]
    elsewhere.hear(b"one", {"went": 2})
    elsewhere.hear(b"two", {"went": 7})  # who was never there
    assert 2 in elsewhere
    now[0] = 15
    elsewhere.hear(b"two", {"all": [2]})
    elsewhere.forget_the_silent()
    assert told == [(1, True), (2, True)]
    now[0] = 16
    elsewhere.forget_the_silent()
    assert told == [(1, True), (2, True), (1, False)]
    now[0] = 100
    elsewhere.wait_anew()  # Redis was away, so nobody could be heard
    elsewhere.forget_the_silent()
    assert 2 in elsewhere
    assert len(elsewhere) == 1
    elsewhere.hear(b"two", {"bye": True})
    assert 2 not in elsewhere
    assert told[-1] == (2, False)
    assert len(elsewhere) == 0
