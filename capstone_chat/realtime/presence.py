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
        changed: called with a user and whether they are now online in some other process.
        node_timeout: seconds after which a silent process is gone.
        clock: seconds, never going back.
    """

    def __init__(
        self,
        changed: Callable[[int, bool], None],
        node_timeout: float = NODE_TIMEOUT,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._changed = changed
        self._node_timeout = node_timeout
        self._clock = clock
        self._users: dict[bytes, set[int]] = {}
        self._last_seen: dict[bytes, float] = {}
        self._process_count: Counter[int] = Counter()

    def __contains__(self, user_id: object) -> bool:
        return user_id in self._process_count

    def __len__(self) -> int:
        return len(self._users)

    def replace_all(self, process: bytes, users: Iterable[int]) -> None:
        """Note that just these users are connected to a process."""
        new, old = set(users), self._users.get(process, set())
        self._last_seen[process] = self._clock()
        self._users.setdefault(process, old)
        self._change(process, come=new - old, gone=old - new)

    def add(self, process: bytes, user_id: int) -> None:
        """Note that a user has connected to a process."""
        self._last_seen[process] = self._clock()
        self._change(process, come={user_id} - self._users.setdefault(process, set()))

    def remove(self, process: bytes, user_id: int) -> None:
        """Note that a user has no connection to a process any more."""
        self._change(process, gone={user_id} & self._users.get(process, set()))

    def apply(self, process: bytes, said: dict[str, Any]) -> None:
        """Note what a process says of who is connected to it."""
        match said:
            case {"all": users}:
                self.replace_all(process, users)
            case {"came": user_id}:
                self.add(process, user_id)
            case {"went": user_id}:
                self.remove(process, user_id)
            case {"bye": _}:
                self._forget(process)

    def reset_timeouts(self) -> None:
        """Forget how long the processes have been silent: nobody could be heard."""
        self._last_seen = dict.fromkeys(self._last_seen, self._clock())

    def expire_stale(self) -> None:
        """Forget the processes that are gone."""
        longest_ago = self._clock() - self._node_timeout
        for process in [p for p, seen in self._last_seen.items() if seen < longest_ago]:
            self._forget(process)

    def _forget(self, process: bytes) -> None:
        self._change(process, gone=set(self._users.get(process, ())))
        self._users.pop(process, None)
        self._last_seen.pop(process, None)

    def _change(
        self, process: bytes, *, come: Iterable[int] = (), gone: Iterable[int] = ()
    ) -> None:
        for user_id in come:
            self._users[process].add(user_id)
            self._process_count[user_id] += 1
            if self._process_count[user_id] == 1:
                self._changed(user_id, True)
        for user_id in gone:
            self._users[process].discard(user_id)
            self._process_count[user_id] -= 1
            if not self._process_count[user_id]:
                del self._process_count[user_id]
                self._changed(user_id, False)
