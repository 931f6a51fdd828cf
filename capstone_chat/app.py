"""Routes, settings of Tornado, and construction of all services.

No other module creates services. The module does not listen on a port, see `__main__`.
"""

import logging
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa
import tornado.locale
import tornado.web

from capstone_chat import logs
from capstone_chat.accounts.accounts import Accounts
from capstone_chat.accounts.captcha import Captchas
from capstone_chat.accounts.login_throttle import LoginThrottle
from capstone_chat.accounts.password_resets import PasswordResets
from capstone_chat.accounts.passwords import Passwords
from capstone_chat.accounts.pictures import Pictures
from capstone_chat.accounts.sessions import Sessions
from capstone_chat.conversations.contacts import Contacts
from capstone_chat.conversations.conversations import Conversations
from capstone_chat.conversations.groups import Groups
from capstone_chat.conversations.invite_links import InviteLinks
from capstone_chat.conversations.messages import Messages
from capstone_chat.handlers import (
    auth,
    base,
    contacts,
    conversations,
    cookies,
    groups,
    health,
    pages,
    password_reset,
    profile,
    websocket,
)
from capstone_chat.in_flight import InFlight
from capstone_chat.metrics import Metrics
from capstone_chat.options import OptionError, Options, load_or_create_secret
from capstone_chat.purge import Purge
from capstone_chat.rate_limiter import ConcurrencyLimiter, RateLimiter
from capstone_chat.realtime.hub import Hub
from capstone_chat.realtime.pong_checks import PongChecks
from capstone_chat.realtime.protocol import MAX_FRAME_BYTES
from capstone_chat.services import MAX_READS_IN_FLIGHT, Services
from capstone_chat.storage import engines, files, migrate
from capstone_chat.storage.database import Database

if TYPE_CHECKING:
    from capstone_chat.realtime.redis_broker import RedisBroker

log = logging.getLogger(__name__)

INVITATION_RATE = 1 / 30
"""Users per second whom one user may add or invite to groups in the long run."""

INVITATION_BURST = 50
"""Users whom one user may add or invite at once."""

PACKAGE_DIR = Path(__file__).parent

CONV = r"/api/conversations/(\d{1,15})"
GROUP = r"/api/groups/(\d{1,15})"

ROUTES = [
    tornado.web.url(r"/", pages.ChatHandler),
    tornado.web.url(r"/register", auth.RegisterHandler, name="register"),
    tornado.web.url(r"/login", auth.LoginHandler, name="login"),
    tornado.web.url(r"/reset", password_reset.PasswordResetHandler),
    tornado.web.url(r"/logout", auth.LogoutHandler, name="logout"),
    tornado.web.url(r"/captcha/([a-z]+)", auth.CaptchaHandler),
    tornado.web.url(r"/captcha/([0-9a-f]{32})\.(png|wav)", auth.CaptchaMediaHandler),
    tornado.web.url(r"/pictures/([0-9a-f]{32})\.webp", profile.PictureHandler),
    tornado.web.url(r"/ws", websocket.ChatSocketHandler),
    tornado.web.url(r"/api/names", auth.NameAvailabilityHandler),
    tornado.web.url(r"/api/state", conversations.StateHandler),
    tornado.web.url(r"/api/conversations", conversations.ConversationsHandler),
    tornado.web.url(CONV, conversations.ConversationHandler),
    tornado.web.url(CONV + r"/members", conversations.MembersHandler),
    tornado.web.url(CONV + r"/events", conversations.EventsHandler),
    tornado.web.url(CONV + r"/events/(\d{1,15})", conversations.EventHandler),
    tornado.web.url(CONV + r"/search", conversations.SearchHandler),
    tornado.web.url(r"/api/private/(\d{1,15})", conversations.PrivateHandler),
    tornado.web.url(r"/api/groups", groups.GroupsHandler),
    tornado.web.url(GROUP, groups.GroupHandler),
    tornado.web.url(GROUP + r"/join", groups.JoinHandler),
    tornado.web.url(GROUP + r"/members", groups.GroupMembersHandler),
    tornado.web.url(GROUP + r"/members/(\d{1,15})", groups.GroupMemberHandler),
    tornado.web.url(GROUP + r"/invitations", groups.InvitationsHandler),
    tornado.web.url(GROUP + r"/invitations/(\d{1,15})", groups.InvitationHandler),
    tornado.web.url(GROUP + r"/link", groups.InviteLinkHandler),
    tornado.web.url(GROUP + r"/owner", groups.OwnerHandler),
    tornado.web.url(r"/api/join", groups.JoinByLinkHandler),
    tornado.web.url(r"/api/users", contacts.UsersHandler),
    tornado.web.url(r"/api/contacts", contacts.ContactsHandler),
    tornado.web.url(r"/api/contacts/(\d{1,15})", contacts.ContactHandler),
    tornado.web.url(r"/api/me", profile.MeHandler),
    tornado.web.url(r"/api/me/picture", profile.MyPictureHandler),
    tornado.web.url(r"/api/me/password", profile.PasswordHandler),
    tornado.web.url(r"/api/me/sessions", profile.SessionsHandler),
    tornado.web.url(r"/api/me/sessions/(\d{1,15})", profile.SessionHandler),
    tornado.web.url(r"/healthz", health.LivenessHandler),
    tornado.web.url(r"/readyz", health.ReadinessHandler),
    tornado.web.url(r"/metrics", health.MetricsHandler),
]


def make_app(options: Options) -> tornado.web.Application:
    """Return the Tornado application of a chat, with its services as the setting `chat`.

    The data folder, the secret and the database are created or migrated first. Call `open` of the
    services before the first request, and `close` at the end.

    Raises:
        OptionError: the data folder, the secret, the database or an option cannot be used.
    """
    data = Path(options.data)
    files.prepare_data_folder(data)
    secret = load_or_create_secret(data)
    chat = build_services(options, secret)
    tornado.locale.load_gettext_translations(str(PACKAGE_DIR / "locale"), "chat")
    tornado.locale.set_default_locale("en")  # the language of the texts in the code
    return base.Application(
        ROUTES,
        chat=chat,
        cookie_secret=secret,
        login_url="/login",
        log_function=logs.log_request,
        default_handler_class=base.NotFoundHandler,
        static_handler_class=base.StaticFileHandler,
        static_path=str(PACKAGE_DIR / "static"),
        template_path=str(PACKAGE_DIR / "templates"),
        compress_response=True,  # safe: the XSRF token has a new mask in each page (BREACH)
        # Cross-site request forgery: a token in every form and call, and a check of the origin.
        xsrf_cookies=True,
        xsrf_cookie_name=cookies.cookie_name("xsrf", secret, secure=options.secure),
        xsrf_cookie_kwargs={"httponly": True, "samesite": "Lax", "secure": options.secure},
        cross_origin_protection=True,
        trusted_origins=options.origins,
        websocket_max_message_size=MAX_FRAME_BYTES,
        websocket_ping_interval=options.ping_interval,
        websocket_ping_timeout=options.ping_timeout,
    )


def build_services(options: Options, secret: str) -> Services:
    """Migrate the database and create all services; nothing runs before `Services.open`.

    Args:
        options: the options of the chat.
        secret: the secret that signs cookies, invite links and the links for new passwords.

    Raises:
        OptionError: the database or an option cannot be used.
    """
    prepare_database(options)
    database = Database(options.database_url)
    password_pool = ThreadPoolExecutor(options.password_threads, thread_name_prefix="password")
    pictures = Pictures()
    broker = make_broker(options)
    hub = Hub(broker)
    database.before_results, database.after_results = hub.hold, hub.flush
    idle, lifetime = options.session_idle, options.session_lifetime
    sessions = Sessions(database, hub, idle=idle, lifetime=lifetime)
    passwords = Passwords(password_pool)
    purge = Purge(database, idle=idle, lifetime=lifetime)
    return Services(
        options=options,
        password_pool=password_pool,
        database=database,
        accounts=Accounts(database, passwords, sessions),
        sessions=sessions,
        password_resets=PasswordResets(database, passwords, sessions, secret),
        login_throttle=LoginThrottle(database),
        captchas=Captchas(database, lifetime=options.captcha_lifetime),
        pictures=pictures,
        contacts=Contacts(database, hub),
        groups=Groups(database, hub),
        invite_links=InviteLinks(database, hub, secret),
        conversations=Conversations(database, hub),
        messages=Messages(database, hub),
        purge=purge,
        hub=hub,
        request_limiter=RateLimiter(options.request_rate, options.request_burst),
        invitation_limiter=RateLimiter(INVITATION_RATE, INVITATION_BURST),
        read_limiter=RateLimiter(options.read_rate, options.read_burst),
        read_slots=ConcurrencyLimiter(MAX_READS_IN_FLIGHT),
        message_limiter=RateLimiter(options.send_rate, options.send_burst),
        signal_limiter=RateLimiter(options.signal_rate, options.signal_burst),
        frame_limiter=RateLimiter(options.frame_rate, options.frame_burst),
        metrics=make_metrics(database, hub, broker, pictures, purge),
        active_requests=InFlight(),
        active_connections=InFlight(),
        pong_checks=PongChecks(),
    )


def prepare_database(options: Options) -> None:
    """Connect to the database and migrate its schema to this version of the chat.

    Raises:
        OptionError: the database cannot be used, or its schema is that of a newer version.
    """
    source = options.database_source
    try:
        engine = create_migration_engine(options)
        try:
            migrate.migrate(engine)
        finally:
            engine.dispose()
    except sa.exc.DBAPIError as error:
        # psycopg lists the failure of each host after a repetition of the last one.
        reason = str(error.orig).rpartition("All failures were:")[2]
        raise OptionError(f"{source}: the database cannot be used: {reason}") from error
    except migrate.MigrationError as error:
        reason = f"the database is not of this version of the chat: {error}"
        raise OptionError(f"{source}: {reason}") from error


def create_migration_engine(options: Options) -> sa.Engine:
    """Return an engine without a statement timeout, because migrations of large tables take long.

    It has connected once. A new SQLite file has the mode 0600.

    Raises:
        OptionError: the driver is missing, or a parameter of the URL or the file cannot be used.
        DBAPIError: the database cannot be reached, or refuses the user.
    """
    source = options.database_source
    try:
        url = options.database_url
        if url.get_backend_name() == "sqlite":
            files.protect_database(Path(url.database or "").absolute())
        engine = engines.create_engine(url, statement_timeout=None)
        engine.connect().close()
    except (OptionError, sa.exc.DBAPIError):
        raise
    except ModuleNotFoundError as error:
        raise OptionError(f"{source}: its driver is missing; pip install {error.name}") from error
    except Exception as error:  # each driver has exceptions of its own for a wrong parameter
        raise OptionError(f"{source}: the database cannot be used: {error}") from error
    return engine


def make_broker(options: Options) -> "RedisBroker | None":
    """Return the broker for `--redis`; None without this option.

    Raises:
        OptionError: the URL is invalid.
    """
    if not options.redis:
        if not options.is_single_process:
            log.warning(
                "no --redis: events of other processes on this database arrive with the next ping"
            )
        return None
    # Imported only here: the import of the client of Redis takes a sixth of the chat's start time.
    from capstone_chat.realtime.redis_broker import RedisBroker

    secret = load_or_create_secret(Path(options.data))
    return RedisBroker(options.redis, secret)


def make_metrics(
    database: Database,
    hub: Hub,
    broker: "RedisBroker | None",
    pictures: Pictures,
    purge: Purge,
) -> Metrics:
    """Return the metrics of the services, which are read at each scrape."""
    metrics = Metrics()
    metrics.gauge("chat_sockets", "Open connections", lambda: len(hub))
    metrics.counter("chat_deliveries", "Deliveries of events", lambda: hub.delivered)
    metrics.counter("chat_writes", "Writes to the database", lambda: database.writes)
    metrics.counter("chat_commits", "Commits of these writes", lambda: database.commits)
    retried = "Conflicts of commits with other processes, each retried at most five times"
    metrics.counter("chat_commit_conflicts", retried, lambda: database.conflicts)
    metrics.gauge("chat_picture_processes", "Pictures being read", lambda: pictures.converting)
    metrics.gauge(
        "chat_picture_bytes", "Bytes of memory reserved for uploads", lambda: pictures.reserved
    )
    rows = "Deleted rows that were unreachable"
    metrics.counters("chat_purged_rows", rows, "kind", lambda: purge.deleted)
    metrics.gauge("chat_purge_seconds", "Duration of the last purge", lambda: purge.seconds)
    end = "End of the last purge, in seconds since 1970; 0 before the first"
    metrics.gauge("chat_purge_end_seconds", end, lambda: purge.finished_at / 1000)
    metrics.counter("chat_purge_failures", "Purges that an error ended", lambda: purge.failed)
    if broker is not None:
        metrics.gauge(
            "chat_bus_connected", "Redis answers", lambda: broker.unhealthy_reason() is None
        )
        metrics.counter(
            "chat_bus_sent", "Publications that Redis has accepted", lambda: broker.counts["sent"]
        )
        metrics.counter(
            "chat_bus_received", "Publications of others", lambda: broker.counts["received"]
        )
    return metrics
