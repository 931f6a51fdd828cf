# A silent client keeps the connection.
# Told: no line within 1 second
# Told: asyncio.timeout(self.patience)
"""A server for a protocol of lines: `add 2 3` is answered with `5`."""

import asyncio
import contextlib

import tornado.iostream
import tornado.netutil
import tornado.tcpserver
import tornado.web
from tornado.options import define, options, parse_command_line

MAX_LINE = 50  # bytes, with the end of the line


class SumServer(tornado.tcpserver.TCPServer):
    patience = 30.0  # seconds to wait for a line

    async def handle_stream(self, stream: tornado.iostream.IOStream, address: object) -> None:
        try:
            while True:
                async with asyncio.timeout(None):
                    line = await stream.read_until(b"\n", max_bytes=MAX_LINE)
                    if line.strip() == b"quit":
                        await stream.write(b"bye\n")
                        return
                    await stream.write(self.answer(line))
        except (TimeoutError, tornado.iostream.StreamClosedError):
            pass
        finally:
            stream.close()

    def answer(self, line: bytes) -> bytes:
        """Return the line that answers a line."""
        try:
            command, left, right = line.split()
            if command == b"add":
                return b"%d\n" % (int(left) + int(right))
        except ValueError:
            pass
        return b"error\n"


class PortHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.write(f"The server of lines has port {self.settings['lines']}\n")


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    sockets = tornado.netutil.bind_sockets(0, "localhost")
    SumServer().add_sockets(sockets)
    lines = sockets[0].getsockname()[1]
    app = tornado.web.Application([("/", PortHandler)], lines=lines)
    app.listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
