"""All that the handlers work with, in one place; `app.make_app` puts it together."""

from concurrent.futures import Executor
from dataclasses import dataclass

from capstone_chat.accounts import Accounts
from capstone_chat.arrivals import Arrivals
from capstone_chat.bus import Bus
from capstone_chat.captcha import Captchas
from capstone_chat.contacts import Contacts
from capstone_chat.conversations import Conversations
from capstone_chat.database import Database
from capstone_chat.groups import Groups
from capstone_chat.hub import Hub
from capstone_chat.limits import Limit
from capstone_chat.messages import Messages
from capstone_chat.metrics import Metrics
from capstone_chat.options import Options
from capstone_chat.sessions import Sessions
from capstone_chat.throttle import Throttle
from capstone_chat.underway import Underway

ANSWER_WITHIN = 5.0
"""Seconds that a stop leaves to the requests that have begun, and to clients to say goodbye."""


@dataclass(frozen=True)
class Chat:
    """The parts of one running chat."""

    options: Options
    pool: Executor
    """Threads for what is slow by intent or nature: hashing, drawing, speaking."""
    database: Database
    accounts: Accounts
    sessions: Sessions
    arrivals: Arrivals
    throttle: Throttle
    captchas: Captchas
    contacts: Contacts
    groups: Groups
    conversations: Conversations
    messages: Messages
    bus: Bus
    hub: Hub
    requests: Limit
    """Logins, registrations and the like, by address or user."""
    sends: Limit
    """Messages, by user."""
    signals: Limit
    """Read marks, typing and pings, by user."""
    metrics: Metrics
    underway: Underway
    """Requests that are being answered."""
    sockets: Underway
    """Sockets that are open, until both sides have said goodbye."""

    async def open(self) -> None:
        """Join the other processes, before anybody connects.

        Raises:
            OptionError: they cannot be reached.
        """
        await self.bus.open()

    async def close(self) -> None:
        """Say goodbye to the sockets, answer the requests that have begun, finish the writes that
        wait, and let go of everything.

        The clients' goodbyes are waited for: a system that closes a socket with something unread
        in it resets the connection, and the other side may then never read why.
        """
        self.hub.close()
        await self.underway.none(ANSWER_WITHIN)
        await self.sockets.none(ANSWER_WITHIN)  # after the requests: one may have opened a socket
        await self.database.close()
        await self.bus.close()
        self.pool.shutdown(wait=False, cancel_futures=True)
