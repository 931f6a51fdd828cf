"""A server on a Unix socket: a file instead of a port, which only programs of its owner can open.

Run it:  python3 learn.py run 09/unix_socket
Windows has no Unix sockets in Python: there the script serves on its port only.
"""

import asyncio
import contextlib
import signal
import socket
import stat
import tempfile
from pathlib import Path

import tornado.httpserver
import tornado.iostream
import tornado.netutil
import tornado.web
from tornado.options import define, options, parse_command_line


class WhoHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.write(f"{self.request.protocol} {self.request.remote_ip}\n")


def make_app() -> tornado.web.Application:
    """Make an application that returns the scheme and the address of the client."""
    return tornado.web.Application([(r"/", WhoHandler)])


def listen(path: Path) -> tornado.httpserver.HTTPServer:
    """Serve on a Unix socket; a file that an earlier server has left there is replaced."""
    # region server
    sock = tornado.netutil.bind_unix_socket(str(path), mode=0o600)
    server = tornado.httpserver.HTTPServer(make_app(), xheaders=True)
    server.add_sockets([sock])
    # endregion
    return server


def mode_of(path: Path) -> str:
    """Return type and permissions of a file, as ls shows them."""
    return stat.filemode(path.stat().st_mode)


async def ask(path: Path, *headers: str) -> str:
    """Send a GET through a Unix socket, as nginx does; return the body of the response."""
    stream = tornado.iostream.IOStream(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
    await stream.connect(str(path))
    lines = ["GET / HTTP/1.1", "Host: localhost", "Connection: close", *headers, "", ""]
    await stream.write("\r\n".join(lines).encode())
    response = await stream.read_until_close()
    return response.partition(b"\r\n\r\n")[2].decode().strip()


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    make_app().listen(options.port, "localhost")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "app.sock")
        if hasattr(socket, "AF_UNIX"):
            listen(path)
            print(f"{mode_of(path)} {path}")
            print(f"without headers:           {await ask(path)}")
            forwarded = ("X-Real-IP: 203.0.113.7", "X-Scheme: https")
            print(f"with those of the proxy:   {await ask(path, *forwarded)}")
        print(f"Open http://localhost:{options.port}")
        await asyncio.Event().wait()


if __name__ == "__main__":
    # As Ctrl-C: SIGTERM alone would leave the folder with the socket behind. An & in a shell
    # script has SIGINT ignored, which would disable both.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
