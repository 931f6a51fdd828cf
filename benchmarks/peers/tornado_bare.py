"""Room server with Tornado, the baseline of all ratios: one `write_message` for each member."""

import argparse
import asyncio
from collections import defaultdict

import tornado.httpserver
import tornado.netutil
import tornado.web
import tornado.websocket


class RoomHandler(tornado.websocket.WebSocketHandler):
    """The connection of a member of a room."""

    def open(self, name: str) -> None:
        """Add the connection to the room."""
        self.room = rooms[name]
        self.room.add(self)
        self.set_nodelay(True)

    def on_message(self, message: str | bytes) -> None:
        """Send a message to all members."""
        for client in self.room:
            client.write_message(message)

    def on_close(self) -> None:
        """Remove the connection from the room."""
        self.room.discard(self)


rooms: defaultdict[str, set[RoomHandler]] = defaultdict(set)


async def main(port: int) -> None:
    """Serve until the process is ended."""
    # The chat pings as often.
    app = tornado.web.Application([(r"/(\w+)", RoomHandler)], websocket_ping_interval=25)
    sockets = tornado.netutil.bind_sockets(port, "127.0.0.1")
    tornado.httpserver.HTTPServer(app).add_sockets(sockets)
    print(f"Open http://127.0.0.1:{sockets[0].getsockname()[1]}", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8888)
    asyncio.run(main(parser.parse_args().port))
