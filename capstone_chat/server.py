"""HTTP server with limits for the number of TCP connections, and timeouts for clients.

Tornado's server alone accepts any number of connections and waits an hour for a request. When the
process has no file descriptor left, it tries to accept again in each turn of the event loop.

In this module a connection is a TCP connection. A WebSocket counts as one, too.
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
from capstone_chat.handlers.frame_stream import FrameStream
from capstone_chat.options import OptionError
from capstone_chat.rate_limiter import RateLimiter

try:
    import resource
except ImportError:  # Windows, where MAX_SELECT_SOCKETS is the limit
    resource = None  # type: ignore[assignment]

log = logging.getLogger(__name__)

MAX_HEADER_SIZE = 16 * 1024
"""Maximum number of bytes in the header of a request.

Most of them are cookies. For comparison: nginx allows 8 KiB for one line.
"""

RESERVED_FILES = 40
"""Number of file descriptors that are reserved for other uses than connections.

SQLite or the pool of connections to a database server uses up to 11, and the event loop, the
standard streams and the listening sockets 10. The rest is for files that are open for a short time.
"""

FILES_PER_REDIS_SERVER = 4
"""Number of file descriptors for each Redis server that a process publishes on: one to subscribe,
two for concurrent pipelines, and in a cluster one to read the list of its servers."""

MAX_SELECT_SOCKETS = 512
"""Maximum number of sockets for select() on Windows (FD_SETSIZE of the official Python).

With one more socket select() fails, the thread in which Tornado calls it ends, and the chat stops.
"""

MIN_CONNECTIONS = 8
"""Minimum number of connections. A browser alone opens up to six at once."""

ACCEPT_AT_ONCE = 16
"""Maximum number of connections that are accepted in one turn of the event loop.

The limit bounds the delay of open connections during a reconnect storm.
"""

ACCEPT_PAUSE = 0.5
"""Seconds without accepting after accept(2) has failed with one of EXHAUSTED_ERRNOS."""

EXHAUSTED_ERRNOS = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}
"""Errors of accept(2) if the system has no resources for a connection, which stays in the queue."""

LOG_INTERVAL = 60
"""Minimum number of seconds between two equal warnings about connections."""

SWEEPS_PER_TIMEOUT = 4
"""Number of checks in each `response_timeout` for clients that do not take their responses."""

EMPTY_BODY = b"Content-Length: 0\r\nConnection: close\r\n\r\n"
HEAD_TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\n" + EMPTY_BODY
UNAVAILABLE = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\n" + EMPTY_BODY


def usable_connections(requested: int, redis_servers: int = 0) -> int:
    """Return the number of connections that the system allows.

    On Windows this number is fixed. Elsewhere it depends on the limit of open files, whose soft
    limit is raised as far as necessary and allowed (setrlimit(2)).

    Args:
        requested: the number of connections that the operator wants; the result is not greater.
        redis_servers: the number of Redis servers; in a cluster that of its masters.

    Raises:
        OptionError: the limit of open files leaves room for fewer than MIN_CONNECTIONS.
    """
    reserved = RESERVED_FILES + FILES_PER_REDIS_SERVER * redis_servers
    if resource is None:
        return min(requested, MAX_SELECT_SOCKETS - reserved)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = requested + reserved
    if hard != resource.RLIM_INFINITY:
        needed = min(needed, hard)
    if soft != resource.RLIM_INFINITY and soft < needed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))
        soft = needed
    usable = requested if soft == resource.RLIM_INFINITY else min(requested, soft - reserved)
    if usable < min(requested, MIN_CONNECTIONS):
        least = reserved + MIN_CONNECTIONS
        raise OptionError(f"the limit of open files is {soft}; raise it (ulimit -n) to {least}")
    if usable < requested:
        text = "the limit of open files, %d, leaves room for %d connections, not --connections=%d"
        log.warning(text, soft, usable, requested)
    return usable


class ClientStream(FrameStream):
    """Stream of a client's connection, which reads requests at first and perhaps frames later.

    Args:
        connection: the accepted socket.
        on_closed: called after the file descriptor has been closed.
    """

    __slots__ = ("_on_closed", "_reading_head", "blocked_since")

    def __init__(self, connection: socket.socket, on_closed: Callable[[], None]) -> None:
        super().__init__(connection)
        self._on_closed = on_closed
        self._reading_head = False
        self.blocked_since = 0.0
        """Time of the last write to an empty buffer, by the clock of the event loop, in seconds."""

    def read_until_regex(self, regex: bytes, max_bytes: int | None = None) -> Awaitable[bytes]:
        """Read the header of a request; Tornado calls this method for nothing else."""
        self._reading_head = True
        head = super().read_until_regex(regex, max_bytes)
        assert isinstance(head, asyncio.Future)
        head.add_done_callback(self._note_head)
        return head

    def _note_head(self, _head: object) -> None:
        self._reading_head = False

    def write(self, data: bytes | memoryview) -> "asyncio.Future[None]":
        """Write data; record the time if the buffer is empty."""
        if not self.writing():
            self.blocked_since = self.io_loop.time()
        return super().write(data)

    def close(self, exc_info: Any = False) -> None:
        """Close the connection; send 431 first if the header is too long (RFC 6585, 5)."""
        if self._reading_head and isinstance(exc_info, tornado.iostream.UnsatisfiableReadError):
            send_response(self.socket, HEAD_TOO_LARGE)
        super().close(exc_info)

    def close_fd(self) -> None:
        """Close the file descriptor, and call `on_closed`."""
        super().close_fd()
        self._on_closed()


def send_response(connection: socket.socket, response: bytes) -> None:
    """Send a short response on a socket without a stream and without waiting.

    The caller closes the connection next. Data that has arrived is read first: if a connection is
    closed with unread data, it is reset, and the client may not receive the response
    (RFC 1122, 4.2.2.13).

    Args:
        connection: the socket of the client.
        response: a complete HTTP response, which fits into the socket's send buffer.
    """
    connection.setblocking(False)
    with contextlib.suppress(OSError):  # no data has arrived
        connection.recv(4 * MAX_HEADER_SIZE)
    with contextlib.suppress(OSError):  # the client has disconnected
        connection.send(response)
        connection.shutdown(socket.SHUT_WR)


class RequestReader(tornado.httputil.HTTPMessageDelegate):
    """Forwards a request to Tornado's delegate, and calls a function when it is complete.

    Args:
        delegate: the delegate of the handler.
        on_complete: called when the request has been received.
    """

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
        """Forward the start line and the headers."""
        return self._delegate.headers_received(start_line, headers)

    def data_received(self, chunk: bytes) -> Awaitable[None] | None:
        """Forward a chunk of the body."""
        return self._delegate.data_received(chunk)

    def finish(self) -> None:
        """Call `on_complete`, and forward the end of the request."""
        self._on_complete()
        self._delegate.finish()

    def on_connection_close(self) -> None:
        """Forward that the client has disconnected before the end of its request."""
        self._delegate.on_connection_close()


class Server(tornado.httpserver.HTTPServer):
    """HTTP server of a chat, with limits for connections.

    A connection above `--connections-per-address` gets a 503 and is closed.

    At the limit of all connections, the server closes the connection that has waited longest for a
    request or for the rest of one, and accepts the new connection. If no connection waits, because
    all are WebSockets or their requests are in flight, the new connection gets a 503.

    Behind a proxy (`--xheaders`) all connections have the address of the proxy. The limit for an
    address is off then, and the proxy has to enforce one.

    Args:
        app: the chat's application.
    """

    def initialize(self, app: tornado.web.Application) -> None:  # type: ignore[override]
        """Set the initial state; Tornado calls this instead of `__init__`."""
        options = app.settings["chat"].options
        super().initialize(
            app,
            xheaders=options.xheaders,
            max_header_size=MAX_HEADER_SIZE,
            max_body_size=MAX_BODY_BYTES,
            idle_connection_timeout=options.header_timeout,
            body_timeout=options.body_timeout,
        )
        self.max_connections: int = options.connections
        """Maximum number of open connections; `usable_connections` may allow fewer."""
        self._max_per_address = None if options.xheaders else options.connections_per_address
        self._response_timeout = options.response_timeout
        self._listening: list[socket.socket] = []
        self._resuming: object | None = None
        self._per_network: Counter[str] = Counter()
        self._open_count = 0  # includes WebSockets
        # Connections that are not WebSockets.
        self._serving: set[ClientStream] = set()
        # Those that wait for a request or for the rest of one, the longest waiting one first.
        self._receiving: dict[ClientStream, None] = {}
        self._log_limiter = RateLimiter(1 / LOG_INTERVAL, 1)
        self._sweeper = tornado.ioloop.PeriodicCallback(
            self._sweep, options.response_timeout * 1000 / SWEEPS_PER_TIMEOUT
        )

    def add_sockets(self, sockets: Iterable[socket.socket]) -> None:
        """Accept connections on listening sockets from now on."""
        self._pause()
        self._listening += sockets
        self._resume()
        self._sweeper.start()

    def stop(self) -> None:
        """Close the listening sockets. Connections stay open, and requests in flight continue."""
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
                continue  # the client has disconnected, or the network fails (accept(2))
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
        """Log a warning, each text at most once in LOG_INTERVAL seconds."""
        if self._log_limiter.acquire(text):
            log.warning(text, *arguments)

    def start_request(
        self, server_conn: object, request_conn: tornado.httputil.HTTPConnection
    ) -> tornado.httputil.HTTPMessageDelegate:
        """Return the delegate of the next request, which has not arrived; Tornado calls this."""
        delegate = super().start_request(server_conn, request_conn)
        stream: ClientStream = server_conn.stream  # type: ignore[attr-defined]
        self._serving.add(stream)
        self._receiving.pop(stream, None)
        self._receiving[stream] = None
        return RequestReader(delegate, lambda: self._receiving.pop(stream, None))

    def on_close(self, server_conn: object) -> None:
        """Remove a connection that was closed or has become a WebSocket; Tornado calls this."""
        super().on_close(server_conn)
        stream: ClientStream = server_conn.stream  # type: ignore[attr-defined]
        self._serving.discard(stream)
        self._receiving.pop(stream, None)

    def _sweep(self) -> None:
        """Close connections whose clients have not taken a response within `response_timeout`."""
        latest = tornado.ioloop.IOLoop.current().time() - self._response_timeout
        for stream in list(self._serving):
            if stream.writing() and stream.blocked_since < latest:
                stream.close()
