"""Stage 7: one order. Each event has a seq, each message a cid, and each commit an ack.

Run it:  python3 learn.py run 10/7
"""

import asyncio
import contextlib
from pathlib import Path

import api
import tornado.web
from auth import BaseHandler, LoginHandler, LogoutHandler, NamesHandler, RegisterHandler
from database import Database
from hub import Hub
from tornado.options import define, options, parse_command_line
from websocket import MAX_TEXT, SocketHandler

HERE = Path(__file__).parent


class PageHandler(BaseHandler):
    """The page of the room, for those who are logged in."""

    @tornado.web.authenticated
    def get(self) -> None:
        self.render("chat.html", user=self.current_user, max_text=MAX_TEXT)


def make_app(file: Path = HERE / "chat.db") -> tornado.web.Application:
    """Return the chat: / is the page, /ws its socket. Its data are in an SQLite file."""
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
        database=Database(file),
        hub=Hub(),
    )


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    make_app().listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
