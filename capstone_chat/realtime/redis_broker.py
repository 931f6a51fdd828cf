"""Broker on Redis, or on a Redis Cluster, which connects the hubs of all processes.

During an outage of Redis no message is lost: each process stores and acknowledges messages, and
delivers them to its own connections. Clients of other processes find by the heads in the next pong
that they have missed events, and load them.

A publication consists of the id of its process and of one or several lines of the same topic. A
line is an event or a control message, with its kind in the first byte.

In a cluster each channel is on one of several servers (sharded Pub/Sub). The broker has a link to
each. A link keeps the order of control messages and events; between links there is no order.
"""

import asyncio
import contextlib
import hashlib
import hmac
import logging
import secrets
from collections import Counter
from typing import Any

import redis.asyncio
import redis.backoff
import redis.exceptions
from redis.asyncio.cluster import ClusterNode, RedisCluster
from redis.asyncio.connection import ConnectionPool, SSLConnection, parse_url
from redis.asyncio.retry import Retry

from capstone_chat import urls
from capstone_chat.options import OptionError
from capstone_chat.realtime import control, presence, topics
from capstone_chat.realtime.broker import BrokerHandler
from capstone_chat.realtime.control import ControlMessage
from capstone_chat.realtime.presence import Found, RedisPresence
from capstone_chat.realtime.redis_link import (
    CONNECTION_ERRORS,
    RECONNECT_DELAY,
    REDIS_TIMEOUT,
    RedisLink,
    reason_for,
)
from capstone_chat.realtime.topics import Topic

log = logging.getLogger(__name__)

TOPOLOGY_INTERVAL = 10.0
"""Seconds between two looks at the servers of a cluster. After an error it looks at once."""

PRESENCE_GROUPS = 64
"""Number of groups into which the users are divided in a cluster, so that it can share the load."""

NODE_ID_LENGTH = 16
"""Number of bytes of the id of a process, with which each of its publications begins."""

EVENT, VOLATILE_EVENT, CONTROL = b"e", b"v", b"c"
"""Kinds of lines: the first byte of a line."""

CLUSTER_ERRORS = (*CONNECTION_ERRORS, redis.exceptions.RedisClusterException)

NO_SHARDED_CHANNELS = "a cluster needs Redis 7.0 or newer, with the command SPUBLISH"


class RedisBroker:
    """Carries events and control messages between all processes with the same secret.

    Args:
        url: URL of Redis or of a cluster, see `urls.redis_servers`.
        secret: the secret of the chat. The names of the channels depend on it, so chats with
            different secrets can use the same Redis.

    Raises:
        OptionError: the URL is invalid.
    """

    def __init__(self, url: str, secret: str) -> None:
        self._handler: BrokerHandler | None = None
        self._prefix = (
            hmac.digest(secret.encode(), b"bus", hashlib.sha256).hex()[:NODE_ID_LENGTH] + ":"
        )
        self._node_id = secrets.token_hex(NODE_ID_LENGTH // 2)
        self._wanted: set[str] = set()
        self._links: dict[str, RedisLink] = {}
        """The links by the names of the servers in the cluster; without a cluster only one."""
        self._topology_changed = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self.counts: Counter[str] = Counter()
        """Number of publications that Redis has accepted, "sent", and of others, "received"."""
        servers = urls.redis_servers(url)
        self._cluster: RedisCluster | None = None
        try:
            self._parameters: dict[str, Any] = {**parse_url(servers[0]), **_COMMON}
            if urls.is_redis_cluster(url):
                self._cluster = self._make_cluster(servers)
            # Raises an exception for an invalid parameter in the URL.
            ConnectionPool(**self._parameters).make_connection()  # type: ignore[no-untyped-call]
        except (TypeError, ValueError) as error:
            raise OptionError(f"--redis: {error}") from None
        groups = PRESENCE_GROUPS if self._cluster else 1
        self.presence = RedisPresence(self._node_id, self._run_scripts, groups)

    async def start(self, handler: BrokerHandler) -> None:
        """Connect, and deliver publications to a handler from now on.

        Raises:
            OptionError: Redis cannot be reached, refuses the user or password, or is too old.
        """
        self._handler = handler
        try:
            if self._cluster:
                await self._cluster.initialize()
            self._find_links()
            await self._check_commands()
        except (*CLUSTER_ERRORS, OptionError) as error:
            await self.close()
            if isinstance(error, OptionError):
                raise
            # The client of a cluster hides the error of the last server that it has tried.
            reason = reason_for(error.__cause__ or error)
            raise OptionError(f"--redis: {reason}: {error}") from None
        await asyncio.gather(*(link.start() for link in self._links.values()))
        self._tasks.append(asyncio.create_task(self._presence_loop()))
        if self._cluster:
            self._tasks.append(asyncio.create_task(self._topology_loop(self._cluster)))

    async def close(self) -> None:
        """Send all queued publications, and close the connections to Redis.

        The entries of the presence expire, so users who reconnect to another process stay online.
        """
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(*(link.close() for link in self._links.values()))
        if self._cluster:
            await self._cluster.aclose()

    @property
    def server_count(self) -> int:
        """The number of Redis servers; in a cluster that of its masters."""
        return len(self._links)

    def unhealthy_reason(self) -> str | None:
        """Return the reason why other processes cannot be reached, or None.

        If some servers of a cluster answer, the process is healthy: the others are replaced soon.
        """
        reasons = [link.unhealthy_reason() for link in self._links.values()]
        return None if None in reasons else next(iter(reasons), None)

    def publish(self, topic: Topic, payload: bytes, *, volatile: bool) -> None:
        """Queue an event, as JSON, for the subscribers of a topic in other processes."""
        channel = self._prefix + str(topic)
        if link := self._link_for(channel):
            link.publish(channel, (VOLATILE_EVENT if volatile else EVENT) + payload)

    def send_control(self, topic: Topic, message: ControlMessage) -> None:
        """Queue a control message to the subscribers of a topic in other processes."""
        channel = self._prefix + str(topic)
        if link := self._link_for(channel):
            link.publish(channel, CONTROL + control.encode(message), alone=True)

    def subscribe(self, topic: Topic) -> None:
        """Receive the publications of a topic from now on."""
        channel = self._prefix + str(topic)
        self._wanted.add(channel)
        if link := self._link_for(channel):
            link.subscribe(channel)

    def unsubscribe(self, topic: Topic) -> None:
        """Stop receiving a topic."""
        channel = self._prefix + str(topic)
        self._wanted.discard(channel)
        if link := self._link_for(channel):
            link.unsubscribe(channel)

    async def wait_subscribed(self) -> None:
        """Wait until Redis has confirmed all subscriptions; return at once during an outage."""
        for link in list(self._links.values()):
            await link.wait_subscribed()

    def _make_cluster(self, servers: list[str]) -> RedisCluster:
        parameters = dict(self._parameters)
        addresses = [parse_url(server) for server in servers]
        for name in "host", "port":
            parameters.pop(name, None)
        if parameters.pop("connection_class", None) is SSLConnection:
            parameters["ssl"] = True
        return RedisCluster(
            startup_nodes=[ClusterNode(one["host"], one.get("port", 6379)) for one in addresses],
            require_full_coverage=False,
            **parameters,
        )

    def _link_for(self, channel: str) -> RedisLink | None:
        """Return the link to the server of a channel or key; None if a cluster has none now."""
        if self._cluster is None:
            return self._links.get("")
        try:
            node = self._cluster.get_node_from_key(channel)
        except redis.exceptions.SlotNotCoveredError:
            return None
        return self._links.get(node.name) if node else None

    def _find_links(self) -> list[RedisLink]:
        """Make the links to new servers; return those to servers that have gone."""
        found: dict[str, dict[str, Any]] = {"": {}}
        if self._cluster:
            found = {
                node.name: {"host": node.host, "port": node.port}
                for node in self._cluster.get_primaries()
            }
        gone = [self._links.pop(name) for name in self._links.keys() - found]
        for name in found.keys() - self._links:
            pool = ConnectionPool(**(self._parameters | found[name]))
            self._links[name] = RedisLink(
                redis.asyncio.Redis.from_pool(pool),
                sharded=self._cluster is not None,
                header=self._node_id.encode(),
                on_publication=self._handle_publication,
                on_failure=self._topology_changed.set,
                counts=self.counts,
            )
        return gone

    async def _check_commands(self) -> None:
        """Check that Redis answers, and that a cluster has sharded channels.

        Raises:
            OptionError: the cluster has no sharded channels.
            RedisError: Redis does not answer, or refuses the user or password.
        """
        last: Exception | None = None
        for link in self._links.values():
            try:
                if self._cluster is None:
                    await link.client.ping()
                else:
                    await link.client.spublish(self._prefix, "")
            except redis.exceptions.MovedError:  # it has the command, for another server's channels
                return
            except redis.exceptions.ResponseError as error:
                if "unknown command" in str(error):
                    raise OptionError(f"--redis: {NO_SHARDED_CHANNELS}") from None
                raise
            except CONNECTION_ERRORS as error:
                last = error
            else:
                return
        if last:
            raise last

    async def _topology_loop(self, cluster: RedisCluster) -> None:
        """Follow the changes of a cluster: its servers, and the channels of each of them."""
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._topology_changed.wait(), TOPOLOGY_INTERVAL)
            self._topology_changed.clear()
            try:
                await cluster.nodes_manager.initialize()
            except CLUSTER_ERRORS as error:  # tried again after the next error or interval
                log.error("the servers of the cluster are not known: %s", error)
            else:
                known = set(self._links.values())
                gone = self._find_links()
                wanted: dict[RedisLink | None, set[str]] = {}
                for channel in self._wanted:
                    wanted.setdefault(self._link_for(channel), set()).add(channel)
                for link in self._links.values():
                    link.subscribe_only(wanted.get(link, set()))
                new = set(self._links.values()) - known
                await asyncio.gather(
                    *(link.close() for link in gone), *(link.start() for link in new)
                )
            await asyncio.sleep(RECONNECT_DELAY)

    async def _presence_loop(self) -> None:
        while True:
            await self.presence.refresh()
            await asyncio.sleep(presence.REFRESH_INTERVAL)

    async def _run_scripts(
        self, scripts: list[tuple[str, list[str]]], arguments: list[str | int]
    ) -> list[Found]:
        """Run scripts in one pipeline for each server; see `presence.RunScripts`."""
        found: list[Found] = [None] * len(scripts)
        numbers: dict[RedisLink, list[int]] = {}
        for number, (_, keys) in enumerate(scripts):
            link = self._link_for(self._prefix + keys[0])
            if link and link.is_connected:
                numbers.setdefault(link, []).append(number)

        async def run(link: RedisLink, mine: list[int]) -> None:
            pipeline = link.client.pipeline(transaction=False)
            for number in mine:
                script, keys = scripts[number]
                names = [self._prefix + key for key in keys]
                pipeline.eval(script, len(names), *names, *arguments)
            try:
                results = await pipeline.execute()
            except CONNECTION_ERRORS as error:
                log.error("the presence of users is not shared: %s", error)
            else:
                for number, result in zip(mine, results, strict=True):
                    found[number] = result

        await asyncio.gather(*(run(link, mine) for link, mine in numbers.items()))
        return found

    def _handle_publication(self, channel: str, data: bytes) -> None:
        assert self._handler is not None
        sender, lines = data[:NODE_ID_LENGTH], data[NODE_ID_LENGTH:]
        if sender == self._node_id.encode():
            return
        self.counts["received"] += 1
        for line in lines.split(b"\n"):
            try:
                topic = topics.parse(channel.removeprefix(self._prefix))
                if line[:1] == CONTROL:
                    self._handler.handle_control(topic, control.decode(line[1:]))
                else:
                    self._handler.deliver(topic, line[1:], volatile=line[:1] == VOLATILE_EVENT)
            except Exception:  # the other lines are still handled
                log.exception("a line of another process was not handled")


_COMMON: dict[str, Any] = {
    "protocol": 2,
    "socket_connect_timeout": REDIS_TIMEOUT,
    "socket_timeout": REDIS_TIMEOUT,
    # No retries: a command that is sent again could publish its events twice. After an error the
    # link connects again, and the heads repair the loss.
    "retry": Retry(redis.backoff.NoBackoff(), 0),
}
