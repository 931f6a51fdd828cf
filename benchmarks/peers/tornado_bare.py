"""Tornado as its documentation broadcasts: one `write_message` a member. All ratios are to this."""

import argparse
import asyncio
from collections import defaultdict

import tornado.httpserver
import tornado.netutil
import tornado.web
import tornado.websocket


class RoomHandler(tornado.websocket.WebSocketHandler):
    """A member of a room."""

    def open(self, name: str) -> None:
        """Enter the room."""
        self.room = rooms[name]
        self.room.add(self)
        self.set_nodelay(True)

    def on_message(self, message: str | bytes) -> None:
        """Send it to all."""
        for client in self.room:
            client.write_message(message)

    def on_close(self) -> None:
        """Leave the room."""
        self.room.discard(self)


rooms: defaultdict[str, set[RoomHandler]] = defaultdict(set)


async def main(port: int) -> None:
    """Serve until the process is ended."""
    app = tornado.web.Application([(r"/(\w+)", RoomHandler)])
    sockets = tornado.netutil.bind_sockets(port, "127.0.0.1")
    tornado.httpserver.HTTPServer(app).add_sockets(sockets)
    print(f"Open http://127.0.0.1:{sockets[0].getsockname()[1]}", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8888)
    asyncio.run(main(parser.parse_args().port))
