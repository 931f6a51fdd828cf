"""Room server in the form of Tornado's chat demo: renders HTML for each message, sends JSON."""

import argparse
import asyncio
import uuid
from collections import defaultdict

import tornado.escape
import tornado.httpserver
import tornado.netutil
import tornado.template
import tornado.web
import tornado.websocket

PAGES = {
    "message.html": '<div class="message" id="m{{ message["id"] }}">'
    '{% module linkify(message["body"]) %}</div>\n'
}
CACHE = 200
"""Number of messages that the demo keeps."""


class RoomHandler(tornado.websocket.WebSocketHandler):
    """The connection of a member of a room."""

    def open(self, name: str) -> None:
        """Add the connection to the room."""
        self.name = name
        rooms[name].add(self)
        self.set_nodelay(True)

    def on_message(self, message: str | bytes) -> None:
        """Render a message, keep it, and send it to all members."""
        id_ = str(uuid.uuid4())
        html = self.render_string("message.html", message={"id": id_, "body": message})
        sent = {"id": id_, "html": tornado.escape.to_basestring(html)}
        cache = caches[self.name]
        cache.append(sent)
        if len(cache) > CACHE:
            caches[self.name] = cache[-CACHE:]
        for client in rooms[self.name]:
            client.write_message(sent)

    def on_close(self) -> None:
        """Remove the connection from the room."""
        rooms[self.name].discard(self)


rooms: defaultdict[str, set[RoomHandler]] = defaultdict(set)
caches: defaultdict[str, list[dict[str, str]]] = defaultdict(list)


async def main(port: int) -> None:
    """Serve until the process is ended."""
    app = tornado.web.Application(
        [(r"/(\w+)", RoomHandler)], template_loader=tornado.template.DictLoader(PAGES)
    )
    sockets = tornado.netutil.bind_sockets(port, "127.0.0.1")
    tornado.httpserver.HTTPServer(app).add_sockets(sockets)
    print(f"Open http://127.0.0.1:{sockets[0].getsockname()[1]}", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8888)
    asyncio.run(main(parser.parse_args().port))
