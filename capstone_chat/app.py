"""The routes, the settings, and the one place where objects are made and put together."""

import logging
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import tornado.locale
import tornado.web

from capstone_chat import engines, logs, schema
from capstone_chat.accounts import Accounts
from capstone_chat.arrivals import Arrivals
from capstone_chat.bus import Bus, LocalBus
from capstone_chat.captcha import Captchas
from capstone_chat.chat import Chat
from capstone_chat.contacts import Contacts
from capstone_chat.conversations import Conversations
from capstone_chat.database import Database
from capstone_chat.groups import Groups
from capstone_chat.handlers import (
    accounts,
    base,
    contacts,
    conversations,
    groups,
    health,
    pages,
    profile,
    socket,
)
from capstone_chat.hub import Hub
from capstone_chat.limits import Limit
from capstone_chat.messages import Messages
from capstone_chat.metrics import Metrics
from capstone_chat.options import Options, cookie_secret
from capstone_chat.passwords import Passwords
from capstone_chat.protocol import FRAME_LIMIT
from capstone_chat.redis_bus import RedisBus
from capstone_chat.sessions import Sessions
from capstone_chat.throttle import Throttle
from capstone_chat.underway import Underway

log = logging.getLogger(__name__)

HERE = Path(__file__).parent

CONV = r"/api/conversations/(\d{1,15})"
GROUP = r"/api/groups/(\d{1,15})"

ROUTES = [
    tornado.web.url(r"/", pages.ChatHandler),
    tornado.web.url(r"/register", accounts.RegisterHandler, name="register"),
    tornado.web.url(r"/login", accounts.LoginHandler, name="login"),
    tornado.web.url(r"/logout", accounts.LogoutHandler, name="logout"),
    tornado.web.url(r"/captcha/([a-z]+)", accounts.CaptchaHandler),
    tornado.web.url(r"/captcha/([0-9a-f]{32})\.(png|wav)", accounts.CaptchaPictureHandler),
    tornado.web.url(r"/pictures/([0-9a-f]{32})\.webp", profile.PictureHandler),
    tornado.web.url(r"/ws", socket.SocketHandler),
    tornado.web.url(r"/api/names", accounts.NamesHandler),
    tornado.web.url(r"/api/state", conversations.StateHandler),
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
    tornado.web.url(GROUP + r"/owner", groups.OwnerHandler),
    tornado.web.url(r"/api/contacts", contacts.ContactsHandler),
    tornado.web.url(r"/api/contacts/(\d{1,15})", contacts.ContactHandler),
    tornado.web.url(r"/api/me", profile.MeHandler),
    tornado.web.url(r"/api/me/picture", profile.MyPictureHandler),
    tornado.web.url(r"/api/me/password", profile.PasswordHandler),
    tornado.web.url(r"/api/me/sessions", profile.SessionsHandler),
    tornado.web.url(r"/api/me/sessions/(\d{1,15})", profile.SessionHandler),
    tornado.web.url(r"/healthz", health.AliveHandler),
    tornado.web.url(r"/readyz", health.ReadyHandler),
    tornado.web.url(r"/metrics", health.MetricsHandler),
]


def make_app(options: Options) -> tornado.web.Application:
    """Put the chat together: its database is brought up to date, nothing listens yet.

    Its parts are in the application's settings, as `chat`; `chat.close()` ends them.
    """
    data = Path(options.data)
    data.mkdir(parents=True, exist_ok=True)
    chat = make_chat(options)
    tornado.locale.load_gettext_translations(str(HERE / "locale"), "chat")
    tornado.locale.set_default_locale("en")  # what the catalogues translate from
    return tornado.web.Application(
        ROUTES,
        chat=chat,
        cookie_secret=cookie_secret(data),
        log_function=logs.log_request,
        default_handler_class=base.NotFoundHandler,
        static_handler_class=base.StaticFileHandler,
        static_path=str(HERE / "static"),
        template_path=str(HERE / "templates"),
        compress_response=True,  # a page's token is masked anew each time, so BREACH learns nothing
        # Two guards against forged requests: a token in every form, and where a request comes from.
        xsrf_cookies=True,
        xsrf_cookie_name="__Host-xsrf" if options.secure else "xsrf",
        xsrf_cookie_kwargs={"httponly": True, "samesite": "Lax", "secure": options.secure},
        cross_origin_protection=True,
        websocket_max_message_size=FRAME_LIMIT,
        websocket_ping_interval=options.ping_interval,
        websocket_ping_timeout=options.ping_timeout,
    )


def make_chat(options: Options) -> Chat:
    """Make the parts of a chat, on a database that is brought up to date."""
    unhurried = engines.connect(options.database_url, patience=None)  # large tables take long
    schema.migrate(unhurried)
    unhurried.dispose()
    database = Database(options.database_url)
    pool = ThreadPoolExecutor(options.password_threads, thread_name_prefix="slow")
    hub = Hub()
    bus = make_bus(options, hub)
    sessions = Sessions(database, bus, idle=options.session_idle, lifetime=options.session_lifetime)
    return Chat(
        options=options,
        pool=pool,
        database=database,
        accounts=Accounts(database, Passwords(pool)),
        sessions=sessions,
        arrivals=Arrivals(database, sessions),
        throttle=Throttle(database),
        captchas=Captchas(database, pool, lifetime=options.captcha_lifetime),
        contacts=Contacts(database, bus),
        groups=Groups(database, bus),
        conversations=Conversations(database, bus),
        messages=Messages(database, bus),
        bus=bus,
        hub=hub,
        requests=Limit(options.request_rate, options.request_burst),
        sends=Limit(options.send_rate, options.send_burst),
        signals=Limit(options.signal_rate, options.signal_burst),
        metrics=make_metrics(database, hub, bus),
        underway=Underway(),
        sockets=Underway(),
    )


def make_bus(options: Options, hub: Hub) -> Bus:
    """Return the bus of one process, or with --redis of many."""
    if not options.redis:
        if not options.alone:
            log.warning("no --redis: other processes on this database are heard with the next ping")
        return LocalBus(hub)
    bus = hub.carrier = RedisBus(hub, options.redis, cookie_secret(Path(options.data)))
    return bus


def make_metrics(database: Database, hub: Hub, bus: Bus) -> Metrics:
    """Return the figures of a chat's parts."""
    metrics = Metrics()
    metrics.gauge("chat_sockets", "Open sockets", lambda: len(hub))
    metrics.counter("chat_deliveries", "Events written to sockets", lambda: hub.delivered)
    metrics.counter("chat_writes", "Changes stored", lambda: database.writes)
    metrics.counter("chat_commits", "Commits that stored them", lambda: database.commits)
    if isinstance(bus, RedisBus):
        metrics.gauge("chat_bus_connected", "Redis answers", lambda: bus.problem() is None)
        metrics.gauge("chat_bus_processes", "Other processes", lambda: len(bus.elsewhere))
        metrics.counter("chat_bus_sent", "Publications that Redis has taken", lambda: bus.sent)
        metrics.counter("chat_bus_received", "Those of other processes", lambda: bus.received)
    return metrics
