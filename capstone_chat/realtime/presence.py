"""Presence of users in other processes.

Each process publishes every five seconds which users are connected to it, and at once who connects
and disconnects. A process that is silent for longer than the node timeout counts as gone, with all
its users, so a crash leaves nothing to clean up. The clocks of other hosts are not used.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

HEARTBEAT_INTERVAL = 5.0
"""Seconds from one list of who is connected to a process to its next."""

NODE_TIMEOUT = 3 * HEARTBEAT_INTERVAL
"""Seconds after which a process that says nothing is gone."""


class RemotePresence:
    """The users who are online in other processes.

    Args:
        on_change: called with a user and whether they are now online in some other process.
        node_timeout: seconds after which a silent process is gone.
        clock: seconds, never going back.
    """

    def __init__(
        self,
        on_change: Callable[[int, bool], None],
        node_timeout: float = NODE_TIMEOUT,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._on_change = on_change
        self._node_timeout = node_timeout
        self._clock = clock
        self._users: dict[bytes, set[int]] = {}
        self._last_seen: dict[bytes, float] = {}
        self._node_count: Counter[int] = Counter()

    def __contains__(self, user_id: object) -> bool:
        return user_id in self._node_count

    def __len__(self) -> int:
        return len(self._users)

    def replace_all(self, node: bytes, users: Iterable[int]) -> None:
        """Note that just these users are connected to a process."""
        new, old = set(users), self._users.get(node, set())
        self._last_seen[node] = self._clock()
        self._users.setdefault(node, old)
        self._change(node, online=new - old, offline=old - new)

    def add(self, node: bytes, user_id: int) -> None:
        """Note that a user has connected to a process."""
        self._last_seen[node] = self._clock()
        self._change(node, online={user_id} - self._users.setdefault(node, set()))

    def remove(self, node: bytes, user_id: int) -> None:
        """Note that a user has no connection to a process any more."""
        self._change(node, offline={user_id} & self._users.get(node, set()))

    def apply(self, node: bytes, message: dict[str, Any]) -> None:
        """Note what a process says of who is connected to it."""
        match message:
            case {"all": users}:
                self.replace_all(node, users)
            case {"came": user_id}:
                self.add(node, user_id)
            case {"went": user_id}:
                self.remove(node, user_id)
            case {"bye": _}:
                self._remove_node(node)

    def reset_timeouts(self) -> None:
        """Restart all timeouts: while Redis was away, no process could be received."""
        self._last_seen = dict.fromkeys(self._last_seen, self._clock())

    def expire_stale(self) -> None:
        """Forget the processes that are gone."""
        longest_ago = self._clock() - self._node_timeout
        for node in [p for p, seen in self._last_seen.items() if seen < longest_ago]:
            self._remove_node(node)

    def _remove_node(self, node: bytes) -> None:
        self._change(node, offline=set(self._users.get(node, ())))
        self._users.pop(node, None)
        self._last_seen.pop(node, None)

    def _change(
        self, node: bytes, *, online: Iterable[int] = (), offline: Iterable[int] = ()
    ) -> None:
        for user_id in online:
            self._users[node].add(user_id)
            self._node_count[user_id] += 1
            if self._node_count[user_id] == 1:
                self._on_change(user_id, True)
        for user_id in offline:
            self._users[node].discard(user_id)
            self._node_count[user_id] -= 1
            if not self._node_count[user_id]:
                del self._node_count[user_id]
                self._on_change(user_id, False)
