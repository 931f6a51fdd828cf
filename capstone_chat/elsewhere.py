"""Who is online in other processes, from what those say.

Each process says now and then who is connected to it, and at once who comes and goes. One that has
said nothing for a while is gone, and with it all who were connected to it: nothing has to be tidied
up after a crash. It is a hint: the clocks of other hosts play no part in it.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

ROLL_CALL = 5.0
"""Seconds from one list of who is connected to a process to its next."""

SILENCE = 3 * ROLL_CALL
"""Seconds after which a process that says nothing is gone."""


class Elsewhere:
    """The users who are online in other processes.

    Args:
        changed: called with a user and whether they are now online in some other process.
        patience: seconds after which a silent process is gone.
        clock: seconds, never going back.
    """

    def __init__(
        self,
        changed: Callable[[int, bool], None],
        patience: float = SILENCE,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._changed = changed
        self._patience = patience
        self._clock = clock
        self._users: dict[bytes, set[int]] = {}
        self._heard: dict[bytes, float] = {}
        self._processes: Counter[int] = Counter()

    def __contains__(self, user_id: object) -> bool:
        return user_id in self._processes

    def __len__(self) -> int:
        return len(self._users)

    def all_of(self, process: bytes, users: Iterable[int]) -> None:
        """Note that just these users are connected to a process."""
        new, old = set(users), self._users.get(process, set())
        self._heard[process] = self._clock()
        self._users.setdefault(process, old)
        self._change(process, come=new - old, gone=old - new)

    def came(self, process: bytes, user_id: int) -> None:
        """Note that a user has connected to a process."""
        self._heard[process] = self._clock()
        self._change(process, come={user_id} - self._users.setdefault(process, set()))

    def went(self, process: bytes, user_id: int) -> None:
        """Note that a user has no connection to a process any more."""
        self._change(process, gone={user_id} & self._users.get(process, set()))

    def hear(self, process: bytes, said: dict[str, Any]) -> None:
        """Note what a process says of who is connected to it."""
        match said:
            case {"all": users}:
                self.all_of(process, users)
            case {"came": user_id}:
                self.came(process, user_id)
            case {"went": user_id}:
                self.went(process, user_id)
            case {"bye": _}:
                self._forget(process)

    def wait_anew(self) -> None:
        """Forget how long the processes have been silent: nobody could be heard."""
        self._heard = dict.fromkeys(self._heard, self._clock())

    def forget_the_silent(self) -> None:
        """Forget the processes that are gone."""
        longest_ago = self._clock() - self._patience
        for process in [p for p, heard in self._heard.items() if heard < longest_ago]:
            self._forget(process)

    def _forget(self, process: bytes) -> None:
        self._change(process, gone=set(self._users.get(process, ())))
        self._users.pop(process, None)
        self._heard.pop(process, None)

    def _change(
        self, process: bytes, *, come: Iterable[int] = (), gone: Iterable[int] = ()
    ) -> None:
        for user_id in come:
            self._users[process].add(user_id)
            self._processes[user_id] += 1
            if self._processes[user_id] == 1:
                self._changed(user_id, True)
        for user_id in gone:
            self._users[process].discard(user_id)
            self._processes[user_id] -= 1
            if not self._processes[user_id]:
                del self._processes[user_id]
                self._changed(user_id, False)
