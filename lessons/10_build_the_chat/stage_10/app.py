"""Stage 10: limits, hostile input, forged requests, and nginx in front.

Run it:  python3 learn.py run 10/10
"""

import asyncio
import contextlib
from pathlib import Path

import api
import tornado.web
from auth import BaseHandler, LoginHandler, LogoutHandler, NamesHandler, RegisterHandler
from database import Database
from hub import Hub
from rate_limiter import RateLimiter
from tornado.options import define, options, parse_command_line
from websocket import MAX_TEXT, SocketHandler

HERE = Path(__file__).parent
SERVER_OPTIONS = {"max_body_size": 2 * 1024 * 1024, "max_header_size": 16 * 1024}  # bytes


class PageHandler(BaseHandler):
    """The page of the room, for those who are logged in."""

    @tornado.web.authenticated
    def get(self) -> None:
        self.render("chat.html", user=self.current_user, max_text=MAX_TEXT)


def make_app(file: Path = HERE / "chat.db", *, behind_tls: bool = False) -> tornado.web.Application:
    """Return the chat: / is the page, /ws its socket. Its data are in an SQLite file.

    Args:
        file: it is created if it does not exist.
        behind_tls: browsers see https, so cookies are sent over TLS only.
    """
    return tornado.web.Application(
        [
            (r"/", PageHandler),
            (r"/ws", SocketHandler),
            (r"/register", RegisterHandler),
            (r"/login", LoginHandler),
            (r"/logout", LogoutHandler),
            (r"/api/names", NamesHandler),
            (r"/api/state", api.StateHandler),
            (r"/api/conversations/(\d{1,9})/events", api.EventsHandler),
            (r"/api/groups", api.GroupsHandler),
            (r"/api/groups/(\d{1,9})/join", api.JoinHandler),
            (r"/api/contacts", api.ContactsHandler),
            (r"/api/private/(\d{1,9})", api.PrivateHandler),
            (r"/api/me/picture", api.MyPictureHandler),
            (r"/pictures/([\w-]+)\.webp", api.PictureHandler),
        ],
        template_path=HERE / "templates",
        static_path=HERE / "static",
        login_url="/login",
        websocket_ping_interval=20,
        websocket_max_message_size=64 * 1024,  # bytes
        xsrf_cookies=True,
        xsrf_cookie_kwargs={"samesite": "Lax", "secure": behind_tls},
        secure_cookies=behind_tls,
        limits={
            "send": RateLimiter(per_second=10, burst=200),  # messages of a user
            "frame": RateLimiter(per_second=30, burst=400),  # frames of a user, of any type
            "login": RateLimiter(per_second=1 / 30, burst=10),  # for an address and a name
            "register": RateLimiter(per_second=1 / 60, burst=20),  # for an address
            "name": RateLimiter(per_second=1, burst=30),  # for an address
            "captcha": RateLimiter(per_second=1, burst=100),  # forms for an address
        },
        database=Database(file),
        hub=Hub(),
    )


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    define("address", default="localhost", help="address to listen on")
    define("behind_proxy", default=False, help="nginx with TLS is in front of the chat")
    parse_command_line()
    app = make_app(behind_tls=options.behind_proxy)
    # X-Real-IP and X-Scheme count only if it is certain that nginx has written them.
    server_options = SERVER_OPTIONS | {"xheaders": options.behind_proxy}
    app.listen(options.port, options.address, **server_options)
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
