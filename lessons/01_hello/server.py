"""listen() opens the port at once; responses have to wait for the event loop.

Run it:  python3 learn.py run 01/server
"""

import asyncio
import contextlib
import socket

import tornado.httpserver
import tornado.ioloop
import tornado.web
from tornado.options import define, options, parse_command_line


class LoopHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        wrapped = tornado.ioloop.IOLoop.current().asyncio_loop
        self.write({"IOLoop wraps the asyncio loop": wrapped is asyncio.get_running_loop()})


def make_app() -> tornado.web.Application:
    """Make an application with one page that says which event loop serves it."""
    return tornado.web.Application([(r"/", LoopHandler)])


def ask_too_early(port: int) -> socket.socket:
    """Send a request while main() keeps the event loop busy, so that no response can come yet."""
    client = socket.create_connection(("localhost", port), timeout=0.2)
    client.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    try:
        client.recv(1000)
    except TimeoutError:
        print("Connected. No reply in 0.2 seconds: the loop has not run yet.")
    client.setblocking(False)
    return client


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    # region listen
    server = tornado.httpserver.HTTPServer(make_app())  # make_app().listen() is short for
    server.listen(options.port, address="localhost")  # these two lines
    # endregion

    with ask_too_early(options.port) as client:
        reply = await asyncio.get_running_loop().sock_recv(client, 1000)  # now the loop runs
    print("Served:", reply.decode().splitlines()[0])

    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
