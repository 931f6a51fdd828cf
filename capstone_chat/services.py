"""Container of all services of a chat: start and shutdown in the right order.

`app.build_services` creates it. Handlers reach it as `self.chat`.
"""

from concurrent.futures import Executor
from dataclasses import dataclass

from capstone_chat.accounts.accounts import Accounts
from capstone_chat.accounts.captcha import Captchas
from capstone_chat.accounts.login_throttle import LoginThrottle
from capstone_chat.accounts.password_resets import PasswordResets
from capstone_chat.accounts.pictures import Pictures
from capstone_chat.accounts.sessions import Sessions
from capstone_chat.conversations.contacts import Contacts
from capstone_chat.conversations.conversations import Conversations
from capstone_chat.conversations.groups import Groups
from capstone_chat.conversations.invite_links import InviteLinks
from capstone_chat.conversations.messages import Messages
from capstone_chat.in_flight import InFlight
from capstone_chat.metrics import Metrics
from capstone_chat.options import Options
from capstone_chat.purge import Purge
from capstone_chat.rate_limiter import ConcurrencyLimiter, RateLimiter
from capstone_chat.realtime.hub import Hub
from capstone_chat.realtime.pong_checks import PongChecks
from capstone_chat.storage.database import Database

SHUTDOWN_TIMEOUT = 5.0
"""Seconds that a shutdown waits for requests in flight, and then for close frames of clients."""

MAX_READS_IN_FLIGHT = 2
"""Maximum number of concurrent reads of one user.

The database has four threads for the reads of all users, so one user cannot occupy all of them.
"""


@dataclass(frozen=True)
class Services:
    """All services of one chat, and the objects that they share."""

    options: Options
    password_pool: Executor
    """Threads for the hashing of passwords only."""
    database: Database
    accounts: Accounts
    sessions: Sessions
    password_resets: PasswordResets
    login_throttle: LoginThrottle
    captchas: Captchas
    pictures: Pictures
    contacts: Contacts
    groups: Groups
    invite_links: InviteLinks
    conversations: Conversations
    messages: Messages
    purge: Purge
    hub: Hub
    pong_checks: PongChecks
    """Checks of connections whose clients have answered a ping."""
    request_limiter: RateLimiter
    """Changes by user, and requests without a session by network."""
    invitation_limiter: RateLimiter
    """Users who are added or invited to groups, by the user who adds them."""
    read_limiter: RateLimiter
    """Reads of the API, reads of pictures, and handshakes of connections, by user."""
    read_slots: ConcurrencyLimiter
    """Reads in flight, by user; see MAX_READS_IN_FLIGHT."""
    message_limiter: RateLimiter
    """Messages that are sent, by user."""
    signal_limiter: RateLimiter
    """Read marks, typing and pings, by user."""
    frame_limiter: RateLimiter
    """WebSocket frames of any kind, by user."""
    metrics: Metrics
    active_requests: InFlight
    """HTTP requests in flight."""
    active_connections: InFlight
    """Open connections. A connection counts until both sides have sent a close frame."""

    async def open(self) -> None:
        """Start the broker and the periodic purge, and correct stored times of sessions.

        Call it before the server accepts connections.

        Raises:
            OptionError: the broker cannot be reached.
        """
        await self.hub.start()
        await self.sessions.correct_times()
        self.purge.start(self.options.purge_interval)

    async def close(self) -> None:
        """Shut down: close all connections with 1001, then wait for requests and writes in flight.

        The shutdown waits for the close frames of the clients. If the operating system closes a
        socket with unread data, it resets the TCP connection, and the client may not receive the
        close code (RFC 1122, 4.2.2.13).
        """
        self.hub.shutdown()
        await self.active_requests.wait_until_empty(SHUTDOWN_TIMEOUT)
        # After the requests, because a handshake is a request that opens a connection.
        await self.active_connections.wait_until_empty(SHUTDOWN_TIMEOUT)
        await self.purge.stop()
        await self.pictures.close()
        await self.database.close()
        await self.hub.close()
        self.captchas.close()
        self.password_pool.shutdown(wait=False, cancel_futures=True)
