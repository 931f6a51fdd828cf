"""A Redis Cluster joins processes: sharded channels, presence, and a server that dies."""

import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
import tornado.testing

from capstone_chat.realtime import protocol, redis_broker, redis_link, topics
from capstone_chat.realtime.control import Unsubscribe
from capstone_chat.realtime.hub import Hub
from capstone_chat.realtime.redis_broker import RedisBroker
from fault_injection.harness.context import Context, wait_until
from fault_injection.harness.servers import RedisCluster
from tests.capstone.realtime.fake_connection import FakeConnection

SECRET = "x" * 40
USERS = range(1, 41)
"""So many that each of three servers has the channels and the presence of some of them."""


def event(text: str) -> dict[str, str]:
    return {"type": "message", "text": text}


class ClusterCase(tornado.testing.AsyncTestCase):
    def setUp(self) -> None:
        super().setUp()
        folder = Path(self.enterContext(tempfile.TemporaryDirectory(ignore_cleanup_errors=True)))
        self.context = Context("cluster", 0, True, folder, lambda _text: None)

    def tearDown(self) -> None:
        self.io_loop.run_sync(self.context.stack.aclose)
        super().tearDown()

    async def start(self, url: str) -> tuple[Hub, RedisBroker]:
        broker = RedisBroker(url, SECRET)
        hub = Hub(broker)
        await hub.start()
        self.context.stack.push_async_callback(hub.close)
        return hub, broker


@pytest.mark.service("redis-server")
class FailoverTest(ClusterCase):
    async def heard_by_all(self, hub: Hub, text: str) -> None:
        """Publish to all users; return when all of them, in the other process, have heard it."""
        for connection in self.connections:
            hub.publish(topics.user(connection.user_id), event(text))
        data = protocol.encode(event(text))
        await wait_until(text, lambda: all(data in b"".join(c.writes) for c in self.connections))

    @tornado.testing.gen_test
    async def test_subscriptions_and_presence_follow_when_a_replica_takes_over(self) -> None:
        cluster = await RedisCluster(self.context).start()
        dead = f"127.0.0.1:{self.context.free_port()},"  # one server of the URL does not answer
        url = cluster.url.replace("://", "://" + dead)
        (here, near), (there, far) = await self.start(url), await self.start(url)
        self.connections = [FakeConnection(user) for user in USERS]
        for connection in self.connections:
            there.register(connection)
            there.complete_subscriptions(connection, [topics.conversation(connection.user_id)])
        await there.wait_subscribed()
        self.assertTrue(all([await there.presence.write(user) for user in USERS]))
        await self.heard_by_all(here, "before")
        self.assertEqual(await here.presence.online_among(range(100)), set(USERS))

        conv = topics.conversation(1)
        with self.assertLogs("capstone_chat.realtime.redis_link", "ERROR") as logged:
            number = await cluster.kill_master(f"{near._prefix}{conv}")
            await cluster.wait_for_failover(number)
        self.assertIn(redis_link.NO_ANSWER, logged.output[0])
        self.assertIsNone(here.unhealthy_reason())  # two of three servers have answered all along

        def links_are_well() -> bool:
            links = [*near._links.values(), *far._links.values()]
            return not any(link.unhealthy_reason() for link in links)

        await wait_until("the links follow", links_are_well)
        await there.wait_subscribed()
        await self.heard_by_all(here, "after")
        await far.presence.refresh()
        self.assertEqual(await here.presence.online_among(range(100)), set(USERS))
        here.send_control(topics.user(1), Unsubscribe([conv]))
        await wait_until("a control message", lambda: there.subscriber_count(conv) == 0)


@pytest.mark.service("redis-server")
class StartTest(ClusterCase):
    def start_chat(self, url: str) -> tuple[int, str]:
        """Start the chat, which must refuse; return the exit code and what it says."""
        command = [sys.executable, "-m", "capstone_chat", "--port=0", f"--redis={url}"]
        command.append(f"--data={self.context.folder}/data")
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(done.stdout, "")
        return done.returncode, done.stderr

    @tornado.testing.gen_test
    async def test_a_cluster_that_cannot_be_used_is_named_in_one_line_with_exit_code_2(
        self,
    ) -> None:
        dead = ",".join(f"127.0.0.1:{self.context.free_port()}" for _ in range(2))
        old = await RedisCluster(
            self.context, 1, replicas=False, options=["--rename-command", "SPUBLISH", ""]
        ).start()
        for url, wanted in (
            (f"redis+cluster://:hunter2@{dead}", redis_link.NO_ANSWER),
            (old.url, redis_broker.NO_SHARDED_CHANNELS),
        ):
            with self.subTest(url=url):
                code, said = self.start_chat(url)
                self.assertEqual((code, said.count("\n")), (2, 1), said)
                self.assertIn(f"capstone_chat: --redis: {wanted}", said)
                self.assertNotIn("hunter2", said)
