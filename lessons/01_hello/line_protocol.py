"""A protocol of your own on TCPServer and IOStream: one line asks, one line answers.

Run it:  python3 learn.py run 01/line_protocol
"""

import asyncio
import contextlib
import logging

import tornado.iostream
import tornado.netutil
import tornado.tcpclient
import tornado.tcpserver
import tornado.web
from tornado.options import define, options, parse_command_line

MAX_LINE = 100  # bytes, with the end of the line
PATIENCE = 30.0  # seconds between two lines
log = logging.getLogger("moons")

MOONS = {"earth": ["Luna"], "mars": ["Phobos", "Deimos"]}


class MoonServer(tornado.tcpserver.TCPServer):
    """Answers the line `moons mars` with `ok Phobos, Deimos`, and any other line with `error`."""

    patience = PATIENCE

    async def handle_stream(self, stream: tornado.iostream.IOStream, address: object) -> None:
        try:
            while True:
                async with asyncio.timeout(self.patience):
                    line = await stream.read_until(b"\n", max_bytes=MAX_LINE)
                    await stream.write(self.answer(line))
        except TimeoutError:
            log.info("A client was silent for %g seconds", self.patience)
        except tornado.iostream.StreamClosedError as closed:
            if closed.real_error:  # None if the client has closed the connection
                log.info("Closed: %s", closed.real_error)  # for example, the line was too long
        finally:
            stream.close()

    def answer(self, line: bytes) -> bytes:
        """Return the line that answers a line."""
        words = line.decode("utf-8", "replace").split()
        if len(words) == 2 and words[0] == "moons" and words[1] in MOONS:
            return f"ok {', '.join(MOONS[words[1]])}\n".encode()
        return b"error\n"


class MoonClientHandler(tornado.web.RequestHandler):
    """A client of the protocol: sends the line in the query, and shows the line that comes back."""

    async def get(self) -> None:
        words = self.get_query_argument("line", "moons mars").split()
        stream = await tornado.tcpclient.TCPClient().connect("localhost", self.settings["moons"])
        try:
            await stream.write(" ".join(words).encode() + b"\n")
            self.write(await stream.read_until(b"\n"))
        except tornado.iostream.StreamClosedError:
            raise tornado.web.HTTPError(502, reason="The server closed the connection") from None
        finally:
            stream.close()


def make_app(port: int) -> tornado.web.Application:
    """Make an application whose page is a client of the server of moons on a port."""
    return tornado.web.Application([(r"/", MoonClientHandler)], moons=port)


async def main() -> None:
    define("port", default=8888, help="port of the page that is a client")
    parse_command_line()
    server = MoonServer()
    sockets = tornado.netutil.bind_sockets(0, "localhost")  # any free port
    server.add_sockets(sockets)
    port = sockets[0].getsockname()[1]
    make_app(port).listen(options.port, "localhost")
    print(f"The server of moons listens on port {port}")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
