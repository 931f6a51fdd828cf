"""Routes, settings of Tornado, and migration of the database.

The module does not listen on a port, see `__main__`.
"""

from pathlib import Path

import sqlalchemy as sa
import tornado.locale
import tornado.web

from capstone_chat import logs
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
from capstone_chat.options import OptionError, Options, load_or_create_secret
from capstone_chat.realtime.protocol import MAX_FRAME_BYTES
from capstone_chat.services import Services
from capstone_chat.storage import engines, files, migrate

PACKAGE_DIR = Path(__file__).parent

CONV = r"/api/conversations/(\d{1,15})"
GROUP = r"/api/groups/(\d{1,15})"

ROUTES = [
    # The first one: Tornado compares the path with one route after the other.
    tornado.web.url(r"/ws", websocket.ChatSocketHandler),
    tornado.web.url(r"/", pages.ChatHandler),
    tornado.web.url(r"/register", auth.RegisterHandler, name="register"),
    tornado.web.url(r"/login", auth.LoginHandler, name="login"),
    tornado.web.url(r"/reset", password_reset.PasswordResetHandler),
    tornado.web.url(r"/logout", auth.LogoutHandler, name="logout"),
    tornado.web.url(r"/captcha/([a-z]+)", auth.CaptchaHandler),
    tornado.web.url(r"/captcha/([0-9a-f]{32})\.(png|wav)", auth.CaptchaMediaHandler),
    tornado.web.url(r"/pictures/([0-9a-f]{32})\.webp", profile.PictureHandler),
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
    prepare_database(options)
    chat = Services(options, secret)
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
