"""All services of a chat: construction, start and shutdown in the right order.

No other module creates services. Handlers reach them as `self.chat`.
"""

import logging
from concurrent.futures import ThreadPoolExecutor

from capstone_chat.accounts.accounts import Accounts
from capstone_chat.accounts.captcha import Captchas
from capstone_chat.accounts.login_throttle import LoginThrottle
from capstone_chat.accounts.password_resets import PasswordResets
from capstone_chat.accounts.passwords import Passwords
from capstone_chat.accounts.pictures import Pictures
from capstone_chat.accounts.sessions import Sessions
from capstone_chat.accounts.snapshots import Snapshots
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
from capstone_chat.realtime.broker import Broker
from capstone_chat.realtime.gathered_calls import GatheredCalls
from capstone_chat.realtime.hub import Hub
from capstone_chat.storage.database import Database

log = logging.getLogger(__name__)

SHUTDOWN_TIMEOUT = 5.0
"""Seconds that a shutdown waits for requests in flight, and then for close frames of clients."""

INVITATION_RATE = 1 / 30
"""Users per second whom one user may add or invite to groups in the long run."""

INVITATION_BURST = 50
"""Users whom one user may add or invite at once."""

MAX_READS_IN_FLIGHT = 2
"""Maximum number of concurrent reads of one user.

The database has four threads for the reads of all users, so one user cannot occupy all of them.
"""


class Services:
    """All services of one chat, and the objects that they share; nothing runs before `open`.

    Args:
        options: the options of the chat, whose database has been migrated.
        secret: the secret that signs cookies, invite links and the links for new passwords.

    Raises:
        OptionError: an option cannot be used.
    """

    def __init__(self, options: Options, secret: str) -> None:
        self.options = options
        self.database = database = Database(options.database_url)
        self.hub = hub = Hub(make_broker(options, secret))
        database.before_results, database.after_results = hub.hold, hub.flush
        self.pong_checks = GatheredCalls(0.5)
        """Checks of connections whose clients have answered a ping."""
        self.gathered_pings = GatheredCalls(0.05)
        """Pings of clients, of which each waits for the others of 50 ms."""
        self.password_pool = ThreadPoolExecutor(
            options.password_threads, thread_name_prefix="password"
        )
        """Threads for the hashing of passwords only."""
        passwords = Passwords(self.password_pool)
        idle, lifetime = options.session_idle, options.session_lifetime
        self.sessions = Sessions(database, hub, idle=idle, lifetime=lifetime)
        self.snapshots = Snapshots(database, self.sessions)
        self.accounts = Accounts(database, hub, passwords, self.sessions)
        self.password_resets = PasswordResets(database, passwords, self.sessions, secret)
        self.login_throttle = LoginThrottle(database)
        self.captchas = Captchas(database, lifetime=options.captcha_lifetime)
        self.pictures = Pictures()
        self.contacts = Contacts(database, hub)
        self.groups = Groups(database, hub)
        self.invite_links = InviteLinks(database, hub, secret)
        self.conversations = Conversations(database, hub)
        self.messages = Messages(database, hub)
        self.purge = Purge(database, idle=idle, lifetime=lifetime)
        self.request_limiter = RateLimiter(options.request_rate, options.request_burst)
        """Changes by user, and requests without a session by network."""
        self.invitation_limiter = RateLimiter(INVITATION_RATE, INVITATION_BURST)
        """Users who are added or invited to groups, by the user who adds them."""
        self.read_limiter = RateLimiter(options.read_rate, options.read_burst)
        """Reads of the API, reads of pictures, and handshakes of connections, by user."""
        self.read_slots = ConcurrencyLimiter(MAX_READS_IN_FLIGHT)
        """Reads in flight, by user."""
        self.message_limiter = RateLimiter(options.send_rate, options.send_burst)
        """Messages that are sent, by user."""
        self.signal_limiter = RateLimiter(options.signal_rate, options.signal_burst)
        """Read marks, typing and pings, by user."""
        self.frame_limiter = RateLimiter(options.frame_rate, options.frame_burst)
        """WebSocket frames of any kind, by user."""
        self.metrics = Metrics(database, hub, self.pictures, self.purge)
        self.active_requests = InFlight()
        """HTTP requests in flight."""
        self.active_connections = InFlight()
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


def make_broker(options: Options, secret: str) -> Broker | None:
    """Return the broker for `--redis`; None without this option.

    Raises:
        OptionError: the URL is invalid.
    """
    if options.redis:
        # Imported only here: the import of Redis' client takes a sixth of the chat's start time.
        from capstone_chat.realtime.redis_broker import RedisBroker

        return RedisBroker(options.redis, secret)
    if not options.is_single_process:
        log.warning(
            "no --redis: events of other processes on this database arrive with the next ping"
        )
    return None
