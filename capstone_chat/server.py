"""The HTTP server: connections are limited in number and in time.

Tornado's server accepts as many connections as come, waits an hour for a request, and when the
process has no file descriptor left, it tries to accept again in each turn of the loop.
"""

import asyncio
import contextlib
import errno
import functools
import logging
import socket
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import tornado.httpserver
import tornado.httputil
import tornado.ioloop
import tornado.iostream
import tornado.web

from capstone_chat import rate_limiter
from capstone_chat.handlers.base import MAX_BODY_BYTES
from capstone_chat.options import OptionError
from capstone_chat.rate_limiter import RateLimiter

try:
    import resource
except ImportError:  # on Windows, which has another limit: MAX_SELECT_SOCKETS
    resource = None  # type: ignore[assignment]

log = logging.getLogger(__name__)

MAX_HEADER_SIZE = 16 * 1024
"""Bytes in the head of a request, nearly all of them cookies; nginx allows 8 KiB for a line."""
RESERVED_FILES = 40
"""File descriptors that are not for connections: SQLite and a pool of connections to a database
server take up to 11, Redis 3, the loop, the standard streams and listening sockets 10; the rest is
for files that are open for a moment."""
MAX_SELECT_SOCKETS = 512
"""Sockets that select() takes on Windows (FD_SETSIZE, as Python is compiled there). One more ends
the thread in which Tornado watches the sockets, and with it the chat."""
MIN_CONNECTIONS = 8
"""Connections without which a chat is of no use: a browser opens up to six at once."""
ACCEPT_AT_ONCE = 16
"""Connections to accept in a turn of the loop, so that open ones do not wait for long."""
ACCEPT_PAUSE = 0.5
"""Seconds without accepting when the system has no resources for another connection."""
EXHAUSTED_ERRNOS = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}
"""Errors of accept(2) for want of resources; the connection stays in the queue."""
LOG_INTERVAL = 60
"""Seconds between two log lines about refused connections, or about a pause."""
SWEEPS_PER_TIMEOUT = 4
"""How often in a `response_timeout` to look for clients that do not take their answers."""

EMPTY_BODY = b"Content-Length: 0\r\nConnection: close\r\n\r\n"
HEAD_TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\n" + EMPTY_BODY
UNAVAILABLE = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\n" + EMPTY_BODY


def usable_connections(requested: int) -> int:
    """Return how many connections the system allows, `requested` at the most.

    On Windows that is a fixed number; elsewhere it is the limit of open files.
    The soft limit is raised as far as needed and allowed (setrlimit(2)).

    Raises:
        OptionError: it is too low for any use.
    """
    if resource is None:
        return min(requested, MAX_SELECT_SOCKETS - RESERVED_FILES)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = requested + RESERVED_FILES
    if hard != resource.RLIM_INFINITY:
        needed = min(needed, hard)
    if soft != resource.RLIM_INFINITY and soft < needed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))
        soft = needed
    usable = requested if soft == resource.RLIM_INFINITY else min(requested, soft - RESERVED_FILES)
    if usable < min(requested, MIN_CONNECTIONS):
        least = RESERVED_FILES + MIN_CONNECTIONS
        raise OptionError(f"the limit of open files is {soft}; raise it (ulimit -n) to {least}")
    if usable < requested:
        text = "the limit of open files, %d, leaves room for %d connections, not --connections=%d"
        log.warning(text, soft, usable, requested)
    return usable


class ClientStream(tornado.iostream.IOStream):
    """The stream of a client.

    Args:
        on_closed: called when the file descriptor has been closed.
    """

    def __init__(self, connection: socket.socket, on_closed: Callable[[], None]) -> None:
        super().__init__(connection)
        self._on_closed = on_closed
        self._reading_head = False
        self.blocked_since = 0.0
        """When something was last written while nothing waited, by the clock of the loop."""

    def read_until_regex(self, regex: bytes, max_bytes: int | None = None) -> Awaitable[bytes]:
        """Read the head of a request."""
        self._reading_head = True
        head = super().read_until_regex(regex, max_bytes)
        assert isinstance(head, asyncio.Future)
        head.add_done_callback(self._note_head)
        return head

    def _note_head(self, _head: object) -> None:
        self._reading_head = False

    def write(self, data: bytes | memoryview) -> "asyncio.Future[None]":
        """Write, and note when it begins to wait."""
        if not self.writing():
            self.blocked_since = self.io_loop.time()
        return super().write(data)

    def close(self, exc_info: Any = False) -> None:
        """Close; a client whose head is too long gets an answer first (RFC 6585, 5)."""
        if self._reading_head and isinstance(exc_info, tornado.iostream.UnsatisfiableReadError):
            send_response(self.socket, HEAD_TOO_LARGE)
        super().close(exc_info)

    def close_fd(self) -> None:
        """Close the file descriptor."""
        super().close_fd()
        self._on_closed()


def send_response(connection: socket.socket, response: bytes) -> None:
    """Send a response without a stream. Nothing of it waits: the connection is closed after it.

    The request is read first, as far as it has come: a connection that is closed with unread data
    is reset, and the client possibly never reads the response (RFC 1122, 4.2.2.13).
    """
    connection.setblocking(False)
    with contextlib.suppress(OSError):  # nothing has come yet
        connection.recv(4 * MAX_HEADER_SIZE)
    with contextlib.suppress(OSError):  # the client has gone
        connection.send(response)
        connection.shutdown(socket.SHUT_WR)


class RequestReader(tornado.httputil.HTTPMessageDelegate):
    """Passes a request on, and notes when it is complete."""

    def __init__(
        self, delegate: tornado.httputil.HTTPMessageDelegate, on_complete: Callable[[], None]
    ) -> None:
        self._delegate = delegate
        self._on_complete = on_complete

    def headers_received(
        self,
        start_line: tornado.httputil.RequestStartLine | tornado.httputil.ResponseStartLine,
        headers: tornado.httputil.HTTPHeaders,
    ) -> Awaitable[None] | None:
        """Pass it on."""
        return self._delegate.headers_received(start_line, headers)

    def data_received(self, chunk: bytes) -> Awaitable[None] | None:
        """Pass it on."""
        return self._delegate.data_received(chunk)

    def finish(self) -> None:
        """Note it and pass it on."""
        self._on_complete()
        self._delegate.finish()

    def on_connection_close(self) -> None:
        """Pass it on."""
        self._delegate.on_connection_close()


class Server(tornado.httpserver.HTTPServer):
    """Serves a chat within its limits.

    A connection beyond `--connections-per-address` is answered with 503 and closed. One beyond the
    limit of all makes room for itself: the connection that has waited longest for the rest of a
    request, or for a next one, is closed. Where all connections are sockets or are being answered,
    the new one gets 503.

    Behind a proxy (`--xheaders`) all connections have its address, so that the limit for an address
    does not apply; the proxy has to keep it.

    Args:
        app: the chat's application.
        connections: open connections at the most; `--connections` unless given.
    """

    def initialize(  # type: ignore[override]
        self, app: tornado.web.Application, connections: int | None = None
    ) -> None:
        """Set the server up; Tornado calls this instead of `__init__`."""
        options = app.settings["chat"].options
        super().initialize(
            app,
            xheaders=options.xheaders,
            max_header_size=MAX_HEADER_SIZE,
            max_body_size=MAX_BODY_BYTES,
            idle_connection_timeout=options.header_timeout,
            body_timeout=options.body_timeout,
        )
        self.max_connections = options.connections if connections is None else connections
        self._max_per_address = None if options.xheaders else options.connections_per_address
        self._response_timeout = options.response_timeout
        self._listening: list[socket.socket] = []
        self._resuming: object | None = None
        self._per_network: Counter[str] = Counter()
        self._open_count = 0  # connections, WebSockets included
        # Connections with the part of HTTP that they are in; a WebSocket is in neither.
        self._serving: set[ClientStream] = set()
        self._receiving: dict[ClientStream, None] = {}  # that which has waited longest is first
        self._log_limiter = RateLimiter(1 / LOG_INTERVAL, 1)
        self._sweeper = tornado.ioloop.PeriodicCallback(
            self._sweep, options.response_timeout * 1000 / SWEEPS_PER_TIMEOUT
        )

    def add_sockets(self, sockets: Iterable[socket.socket]) -> None:
        """Accept connections on listening sockets."""
        self._pause()
        self._listening += sockets
        self._resume()
        self._sweeper.start()

    def stop(self) -> None:
        """Accept nothing more; requests that have begun go on."""
        self._pause()
        for listening in self._listening:
            listening.close()
        self._listening.clear()
        self._sweeper.stop()
        super().stop()

    def _pause(self) -> None:
        loop = tornado.ioloop.IOLoop.current()
        if self._resuming is not None:
            loop.remove_timeout(self._resuming)
            self._resuming = None
            return
        for listening in self._listening:
            loop.remove_handler(listening)

    def _resume(self) -> None:
        self._resuming = None
        for listening in self._listening:
            tornado.ioloop.IOLoop.current().add_handler(
                listening, self._accept, tornado.ioloop.IOLoop.READ
            )

    def _accept(self, listening: socket.socket, _events: int) -> None:
        for _ in range(ACCEPT_AT_ONCE):
            try:
                connection, address = listening.accept()
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno in EXHAUSTED_ERRNOS:
                    self._log_warning("no connection is accepted for %s s: %s", ACCEPT_PAUSE, error)
                    self._pause()
                    loop = tornado.ioloop.IOLoop.current()
                    self._resuming = loop.call_later(ACCEPT_PAUSE, self._resume)
                    return
                continue  # the client has gone meanwhile, or the network has (accept(2))
            self._admit(connection, address)

    def _admit(self, connection: socket.socket, address: Any) -> None:
        network = rate_limiter.network_key(address[0])
        maximum = self._max_per_address
        if maximum is not None and self._per_network[network] >= maximum:
            self._refuse(connection, "an address has more than %d connections", maximum)
            return
        if self._open_count >= self.max_connections and self._receiving:
            oldest = next(iter(self._receiving))
            del self._receiving[oldest]
            oldest.close()
            text = "more than %d connections: idle ones are closed"
            self._log_warning(text, self.max_connections)
        if self._open_count >= self.max_connections:
            self._refuse(connection, "more than %d connections", self.max_connections)
            return
        self._open_count += 1
        self._per_network[network] += 1
        stream = ClientStream(connection, functools.partial(self._on_stream_closed, network))
        self._receiving[stream] = None
        self.handle_stream(stream, address)

    def _on_stream_closed(self, network: str) -> None:
        self._open_count -= 1
        self._per_network[network] -= 1
        if not self._per_network[network]:
            del self._per_network[network]

    def _refuse(self, connection: socket.socket, *reason: object) -> None:
        send_response(connection, UNAVAILABLE)
        connection.close()
        self._log_warning(*reason)

    def _log_warning(self, text: object, *arguments: object) -> None:
        """Log a warning, each text at most once in `LOG_INTERVAL` seconds."""
        if self._log_limiter.acquire(text):
            log.warning(text, *arguments)

    def start_request(
        self, server_conn: object, request_conn: tornado.httputil.HTTPConnection
    ) -> tornado.httputil.HTTPMessageDelegate:
        """Return what reads the next request; Tornado calls this when it begins to wait for one."""
        delegate = super().start_request(server_conn, request_conn)
        stream: ClientStream = server_conn.stream  # type: ignore[attr-defined]
        self._serving.add(stream)
        self._receiving.pop(stream, None)
        self._receiving[stream] = None
        return RequestReader(delegate, lambda: self._receiving.pop(stream, None))

    def on_close(self, server_conn: object) -> None:
        """Forget a connection that is closed or has become a WebSocket; Tornado calls this."""
        super().on_close(server_conn)
        stream: ClientStream = server_conn.stream  # type: ignore[attr-defined]
        self._serving.discard(stream)
        self._receiving.pop(stream, None)

    def _sweep(self) -> None:
        """Close the connections whose clients do not take their answers in time."""
        latest = tornado.ioloop.IOLoop.current().time() - self._response_timeout
        for stream in list(self._serving):
            if stream.writing() and stream.blocked_since < latest:
                stream.close()
