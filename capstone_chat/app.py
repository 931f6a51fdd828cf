"""The routes, the settings, and the one place where objects are made and put together."""

import logging
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa
import tornado.locale
import tornado.web

from capstone_chat import logs
from capstone_chat.accounts.accounts import Accounts
from capstone_chat.accounts.arrivals import Arrivals
from capstone_chat.accounts.captcha import Captchas
from capstone_chat.accounts.login_throttle import LoginThrottle
from capstone_chat.accounts.passwords import Passwords
from capstone_chat.accounts.pictures import Pictures
from capstone_chat.accounts.sessions import Sessions
from capstone_chat.conversations.contacts import Contacts
from capstone_chat.conversations.conversations import Conversations
from capstone_chat.conversations.groups import Groups
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
    profile,
    websocket,
)
from capstone_chat.in_flight import InFlight
from capstone_chat.metrics import Metrics
from capstone_chat.options import OptionError, Options, load_or_create_secret
from capstone_chat.purge import Purge
from capstone_chat.rate_limiter import ConcurrencyLimiter, RateLimiter
from capstone_chat.realtime.broker import LocalBroker
from capstone_chat.realtime.hub import Hub
from capstone_chat.realtime.protocol import MAX_FRAME_BYTES
from capstone_chat.services import MAX_READS_IN_FLIGHT, Services
from capstone_chat.storage import engines, files, migrate
from capstone_chat.storage.database import Database

if TYPE_CHECKING:
    from capstone_chat.realtime.redis_broker import RedisBroker

log = logging.getLogger(__name__)

INVITATION_RATE = 1 / 30
"""People a second whom one user may add or invite to groups for long."""
INVITATION_BURST = 50
"""People whom one user may add or invite at once."""

PACKAGE_DIR = Path(__file__).parent

CONV = r"/api/conversations/(\d{1,15})"
GROUP = r"/api/groups/(\d{1,15})"

ROUTES = [
    tornado.web.url(r"/", pages.ChatHandler),
    tornado.web.url(r"/register", auth.RegisterHandler, name="register"),
    tornado.web.url(r"/login", auth.LoginHandler, name="login"),
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
    tornado.web.url(GROUP + r"/owner", groups.OwnerHandler),
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
    """Put the chat together: its database is brought up to date, nothing listens yet.

    Its parts are in the application's settings, as `chat`; `chat.close()` ends them.

    Raises:
        OptionError: the data folder, the secret or the database cannot be used.
    """
    data = Path(options.data)
    files.prepare_data_folder(data)
    secret = load_or_create_secret(data)
    chat = build_services(options)
    tornado.locale.load_gettext_translations(str(PACKAGE_DIR / "locale"), "chat")
    tornado.locale.set_default_locale("en")  # what the catalogues translate from
    return base.Application(
        ROUTES,
        chat=chat,
        cookie_secret=secret,
        log_function=logs.log_request,
        default_handler_class=base.NotFoundHandler,
        static_handler_class=base.StaticFileHandler,
        static_path=str(PACKAGE_DIR / "static"),
        template_path=str(PACKAGE_DIR / "templates"),
        compress_response=True,  # a page's token is masked anew each time, so BREACH learns nothing
        # Two guards against forged requests: a token in every form, and where a request comes from.
        xsrf_cookies=True,
        xsrf_cookie_name=cookies.cookie_name("xsrf", secret, secure=options.secure),
        xsrf_cookie_kwargs={"httponly": True, "samesite": "Lax", "secure": options.secure},
        cross_origin_protection=True,
        trusted_origins=options.origins,
        websocket_max_message_size=MAX_FRAME_BYTES,
        websocket_ping_interval=options.ping_interval,
        websocket_ping_timeout=options.ping_timeout,
    )


def build_services(options: Options) -> Services:
    """Make the parts of a chat, on a database that is brought up to date."""
    prepare_database(options)
    database = Database(options.database_url)
    password_pool = ThreadPoolExecutor(options.password_threads, thread_name_prefix="password")
    pictures = Pictures()
    hub = Hub()
    broker = make_broker(options, hub)
    idle, lifetime = options.session_idle, options.session_lifetime
    sessions = Sessions(database, broker, idle=idle, lifetime=lifetime)
    purge = Purge(database, idle=idle, lifetime=lifetime)
    return Services(
        options=options,
        password_pool=password_pool,
        database=database,
        accounts=Accounts(database, Passwords(password_pool), sessions),
        sessions=sessions,
        arrivals=Arrivals(database, sessions),
        login_throttle=LoginThrottle(database),
        captchas=Captchas(database, lifetime=options.captcha_lifetime),
        pictures=pictures,
        contacts=Contacts(database, broker),
        groups=Groups(database, broker),
        conversations=Conversations(database, broker),
        messages=Messages(database, broker),
        purge=purge,
        broker=broker,
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
    )


def prepare_database(options: Options) -> None:
    """Connect to the database for the first time and bring it up to date.

    Raises:
        OptionError: the database cannot be used.
    """
    source = options.database_source
    try:
        engine = create_migration_engine(options)
        try:
            migrate.migrate(engine)
        finally:
            engine.dispose()
    except sa.exc.DBAPIError as error:
        raise OptionError(f"{source}: the database cannot be used: {error.orig}") from error
    except migrate.MigrationError as error:
        reason = f"the database is not of this version of the chat: {error}"
        raise OptionError(f"{source}: {reason}") from error


def create_migration_engine(options: Options) -> sa.Engine:
    """Return an engine that has connected, for the changes of large tables, which take long.

    Raises:
        OptionError: a parameter or a file is wrong.
        DBAPIError: the database does not let this process in.
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
    except Exception as error:  # each driver has its own for a parameter that it does not like
        raise OptionError(f"{source}: the database cannot be used: {error}") from error
    return engine


def make_broker(options: Options, hub: Hub) -> "LocalBroker | RedisBroker":
    """Return the broker of one process, or with --redis of many."""
    if not options.redis:
        if not options.is_single_process:
            log.warning("no --redis: other processes on this database are heard with the next ping")
        return LocalBroker(hub)
    # Here, because the client of Redis takes a sixth of the start of a chat that has none.
    from capstone_chat.realtime.redis_broker import RedisBroker

    secret = load_or_create_secret(Path(options.data))
    broker = hub.carrier = RedisBroker(hub, options.redis, secret)
    return broker


def make_metrics(
    database: Database,
    hub: Hub,
    broker: "LocalBroker | RedisBroker",
    pictures: Pictures,
    purge: Purge,
) -> Metrics:
    """Return the figures of a chat's parts."""
    metrics = Metrics()
    metrics.gauge("chat_sockets", "Open sockets", lambda: len(hub))
    metrics.counter("chat_deliveries", "Events written to sockets", lambda: hub.delivered)
    metrics.counter("chat_writes", "Changes stored", lambda: database.writes)
    metrics.counter("chat_commits", "Commits that stored them", lambda: database.commits)
    metrics.gauge("chat_picture_processes", "Pictures being read", lambda: pictures.converting)
    metrics.gauge("chat_picture_bytes", "Reserved for uploads", lambda: pictures.reserved)
    rows = "Rows deleted that nobody could reach"
    metrics.counters("chat_purged_rows", rows, "kind", lambda: purge.deleted)
    metrics.gauge("chat_purge_seconds", "Duration of the last purge", lambda: purge.seconds)
    end = "End of the last purge, in seconds since 1970; 0 before the first"
    metrics.gauge("chat_purge_end_seconds", end, lambda: purge.finished_at / 1000)
    metrics.counter("chat_purge_failures", "Purges that an error ended", lambda: purge.failed)
    if not isinstance(broker, LocalBroker):
        metrics.gauge(
            "chat_bus_connected", "Redis answers", lambda: broker.unhealthy_reason() is None
        )
        metrics.gauge("chat_bus_processes", "Other processes", lambda: len(broker.presence))
        metrics.counter("chat_bus_sent", "Publications that Redis has taken", lambda: broker.sent)
        metrics.counter("chat_bus_received", "Those of other processes", lambda: broker.received)
    return metrics
