"""All that the handlers work with, in one place; `app.make_app` puts it together."""

from concurrent.futures import Executor
from dataclasses import dataclass

from capstone_chat.accounts.accounts import Accounts
from capstone_chat.accounts.arrivals import Arrivals
from capstone_chat.accounts.captcha import Captchas
from capstone_chat.accounts.login_throttle import LoginThrottle
from capstone_chat.accounts.pictures import Pictures
from capstone_chat.accounts.sessions import Sessions
from capstone_chat.conversations.contacts import Contacts
from capstone_chat.conversations.conversations import Conversations
from capstone_chat.conversations.groups import Groups
from capstone_chat.conversations.messages import Messages
from capstone_chat.in_flight import InFlight
from capstone_chat.metrics import Metrics
from capstone_chat.options import Options
from capstone_chat.purge import Purge
from capstone_chat.rate_limiter import ConcurrencyLimiter, RateLimiter
from capstone_chat.realtime.broker import Broker
from capstone_chat.realtime.hub import Hub
from capstone_chat.storage.database import Database

SHUTDOWN_TIMEOUT = 5.0
"""Seconds that a stop leaves to the requests that have begun, and to clients to say goodbye."""

MAX_READS_IN_FLIGHT = 2
"""Reads of one user that run at once; the database has four threads for the reads of all users."""


@dataclass(frozen=True)
class Services:
    """The parts of one running chat."""

    options: Options
    password_pool: Executor
    """Threads that hash passwords, and nothing else."""
    database: Database
    accounts: Accounts
    sessions: Sessions
    arrivals: Arrivals
    login_throttle: LoginThrottle
    captchas: Captchas
    pictures: Pictures
    contacts: Contacts
    groups: Groups
    conversations: Conversations
    messages: Messages
    purge: Purge
    broker: Broker
    hub: Hub
    request_limiter: RateLimiter
    """Logins, registrations and the like, by address or user."""
    invitation_limiter: RateLimiter
    """People added or invited to groups, by the user who adds them."""
    read_limiter: RateLimiter
    """Reads of the API, pictures and handshakes of sockets, by user."""
    read_slots: ConcurrencyLimiter
    """Reads that run, by user: one user must not occupy all threads that read."""
    message_limiter: RateLimiter
    """Messages, by user."""
    signal_limiter: RateLimiter
    """Read marks, typing and pings, by user."""
    frame_limiter: RateLimiter
    """WebSocket frames of any kind, by user."""
    metrics: Metrics
    active_requests: InFlight
    """Requests that are being answered."""
    active_connections: InFlight
    """Sockets that are open, until both sides have said goodbye."""

    async def open(self) -> None:
        """Join the other processes, before anybody connects, and begin to purge.

        Raises:
            OptionError: they cannot be reached.
        """
        await self.broker.connect()
        await self.sessions.correct_times()
        self.purge.start(self.options.purge_interval)

    async def close(self) -> None:
        """Say goodbye to the sockets, answer the requests that have begun, finish the writes that
        wait, and let go of everything.

        The clients' goodbyes are waited for: a system that closes a socket with something unread
        in it resets the connection, and the other side may then never read why.
        """
        self.hub.shutdown()
        await self.active_requests.wait_until_empty(SHUTDOWN_TIMEOUT)
        # After the requests: one may have opened a socket.
        await self.active_connections.wait_until_empty(SHUTDOWN_TIMEOUT)
        await self.purge.stop()
        await self.pictures.close()
        await self.database.close()
        await self.broker.disconnect()
        self.captchas.close()
        self.password_pool.shutdown(wait=False, cancel_futures=True)
