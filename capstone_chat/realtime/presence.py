"""Presence: which users have an open connection to any process of the chat.

A process on its own keeps it in memory. Several processes keep it in Redis: a user has a sorted set
of the processes that hold connections of this user, each with the time at which its entry expires
by the clock of Redis. Each process refreshes the sets of its users. The entries of a process that
was killed expire. A process that stops leaves its entries to expire, too, so that a user who
reconnects to another process is never shown as offline.

`conversations.contacts` decides which users may see it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable

REFRESH_INTERVAL = 10.0
"""Seconds between two refreshes of the users of a process."""

EXPIRY = 30
"""Seconds after which an entry that is not refreshed expires: a process may miss two refreshes."""

MAX_KEYS = 500
"""Maximum number of users in a call of a script, which Redis runs for about a millisecond."""

_FOR_EACH_KEY = """
local now, found = redis.call('TIME')[1], {}
for number, key in ipairs(KEYS) do
  %s
  then found[#found + 1] = number end
end
return found"""

CONNECTED = (
    _FOR_EACH_KEY
    % """
  local added = redis.call('ZADD', key, now + ARGV[2], ARGV[1])
  redis.call('EXPIRE', key, ARGV[2])
  if added == 1 and redis.call('ZCARD', key) == 1"""
)
"""Script that adds or refreshes the entries of a process; finds the users who were offline."""

DISCONNECTED = (
    _FOR_EACH_KEY
    % """
  local removed = redis.call('ZREM', key, ARGV[1])
  redis.call('ZREMRANGEBYSCORE', key, '-inf', now)
  if removed == 1 and redis.call('EXISTS', key) == 0"""
)
"""Script that removes entries of a process, and expired ones; finds users who are offline now."""

ONLINE = _FOR_EACH_KEY % "if redis.call('EXISTS', key) == 1"
"""Script that finds the users who are online."""

Found = list[int] | None
"""Numbers of the keys that a script has found, from 1; None if their server cannot be reached."""

RunScripts = Callable[[list[tuple[str, list[str]]], list[str | int]], Awaitable[list[Found]]]
"""Runs scripts, each with keys that are alike up to a `}`, and all with the same arguments."""


class Presence:
    """Presence in the memory of one process."""

    def __init__(self) -> None:
        self.here: set[int] = set()
        """The users who have a connection to this process. The hub keeps it up to date."""
        self._written: set[int] = set()

    async def write(self, user_id: int) -> bool:
        """State whether a user is connected here; return whether the user's presence changed."""
        changed = (user_id in self.here) != (user_id in self._written)
        if changed:
            self._written ^= {user_id}
        return changed

    async def online_among(self, user_ids: Iterable[int]) -> set[int]:
        """Return those of some users who are online."""
        return self.here.intersection(user_ids)


class RedisPresence(Presence):
    """Presence in Redis, shared by all processes.

    All writes and reads that wait at the same time share a pipeline. While Redis is away, only the
    users of this process are online.

    Args:
        node_id: the id of this process.
        run_scripts: runs scripts on Redis.
        groups: number of groups of users. In a cluster, each group is on one server.
    """

    def __init__(self, node_id: str, run_scripts: RunScripts, groups: int) -> None:
        super().__init__()
        self._node_id = node_id
        self._run_scripts = run_scripts
        self._groups = groups
        self._changed: set[int] = set()
        self._asked: set[int] = set()
        self._next: asyncio.Future[tuple[set[int], set[int]]] | None = None
        self._lock = asyncio.Lock()

    async def write(self, user_id: int) -> bool:
        """State whether a user is connected here; return whether the user's presence changed."""
        if not await super().write(user_id):
            return False
        self._changed.add(user_id)
        return user_id in (await self._exchange())[0]

    async def online_among(self, user_ids: Iterable[int]) -> set[int]:
        """Return those of some users who are online."""
        wanted = set(user_ids)
        remote = wanted - self.here
        self._asked |= remote
        online = (await self._exchange())[1] if remote else set()
        return wanted & (online | self.here)

    async def refresh(self) -> None:
        """Refresh the entries of all users who are connected here and were written."""
        self._changed |= self.here & self._written
        await self._exchange()

    def _exchange(self) -> Awaitable[tuple[set[int], set[int]]]:
        """Send all that waits; return the users whose presence changed, and the online ones."""
        if self._next is None:
            self._next = asyncio.ensure_future(self._send())
        return asyncio.shield(self._next)  # the others still wait if one of them is cancelled

    async def _send(self) -> tuple[set[int], set[int]]:
        async with self._lock:  # an earlier exchange may be in flight: the order of writes is kept
            self._next = None
            changed, self._changed = self._changed, set()
            asked, self._asked = self._asked, set()
            calls = [
                *self._calls(CONNECTED, changed & self.here),
                *self._calls(DISCONNECTED, changed - self.here),
                *self._calls(ONLINE, asked),
            ]
            found = await self._run_scripts(
                [(script, [self._key(user) for user in users]) for script, users in calls],
                [self._node_id, EXPIRY],
            )
        flipped, online = set[int](), set[int]()
        for (script, users), numbers in zip(calls, found, strict=True):
            if numbers is not None:
                users = [users[number - 1] for number in numbers]
            elif script == ONLINE:
                continue
            (online if script == ONLINE else flipped).update(users)
        return flipped, online

    def _calls(self, script: str, user_ids: set[int]) -> list[tuple[str, list[int]]]:
        groups: dict[int, list[int]] = {}
        for user_id in user_ids:
            groups.setdefault(user_id % self._groups, []).append(user_id)
        return [
            (script, users[start : start + MAX_KEYS])
            for users in groups.values()
            for start in range(0, len(users), MAX_KEYS)
        ]

    def _key(self, user_id: int) -> str:
        return f"{{{user_id % self._groups}}}:{user_id}"
