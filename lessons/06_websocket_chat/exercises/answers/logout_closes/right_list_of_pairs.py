# A list of pairs that is made anew.
"""End a session: its sockets are closed, those of other sessions stay open."""

import asyncio
import contextlib

import tornado.web
import tornado.websocket
from tornado.options import define, options, parse_command_line


class SocketHandler(tornado.websocket.WebSocketHandler):
    def prepare(self) -> None:
        self.session = self.get_cookie("session", "")
        if self.session not in self.settings["sessions"]:
            raise tornado.web.HTTPError(401)

    def open(self) -> None:
        self.settings["sockets"].append((self.session, self))

    def on_message(self, message: str | bytes) -> None:
        self.write_message(f"{self.settings['sessions'][self.session]}: {message!r}")

    def on_close(self) -> None:
        self.settings["sockets"][:] = [p for p in self.settings["sockets"] if p[1] is not self]


class LogoutHandler(tornado.web.RequestHandler):
    def post(self) -> None:
        session = self.get_cookie("session", "")
        self.settings["sessions"].pop(session, None)
        for owner, socket in tuple(self.settings["sockets"]):
            if owner == session:
                socket.close(4001, "logged out")


def make_app() -> tornado.web.Application:
    sessions = {"s1": "Ada", "s2": "Ada", "s3": "Bob"}  # Ada is logged in on two devices
    routes = [(r"/socket", SocketHandler), (r"/logout", LogoutHandler)]
    return tornado.web.Application(routes, sessions=sessions, sockets=[])


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    make_app().listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
