"""Handler of a connection: GET /ws.

The handler authenticates the handshake, subscribes the connection to topics, carries out the
client's frames, and writes frames for the hub. The hub decides which events a connection receives.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from http import HTTPStatus

import sqlalchemy.exc
import tornado.httputil
import tornado.iostream
import tornado.web
import tornado.websocket

from capstone_chat.conversations.errors import Refusal
from capstone_chat.conversations.event_log import Event
from capstone_chat.handlers import errors
from capstone_chat.handlers.base import BaseHandler
from capstone_chat.handlers.errors import ApiError, reason_phrase
from capstone_chat.handlers.frame_stream import FrameStream
from capstone_chat.rate_limiter import RateLimiter
from capstone_chat.realtime import protocol, topics
from capstone_chat.realtime.control import RefreshUser, Resync
from capstone_chat.realtime.protocol import (
    CloseCode,
    Edit,
    Ping,
    ProtocolError,
    Read,
    Send,
    Typing,
)
from capstone_chat.storage import engines
from capstone_chat.storage.database import now_ms

log = logging.getLogger(__name__)

MAX_CONSECUTIVE_BAD_FRAMES = 5
"""Number of malformed frames in a row after which the connection is closed with 3501."""

MAX_IN_FLIGHT_SENDS = 64
"""Maximum number of messages of a connection that wait for their commit.

At this number the handler reads no further frames from the connection (backpressure).
"""


MIN_CONNECTIONS_TO_GATHER = 1000
"""Number of connections from which on pings of clients wait for each other.

Their reads then share a thread and a transaction. With 5,000 connections, ten pings arrive in the
50 ms of a wait, and a ping takes half the calls of Python (benchmarks/NOTES.md).
"""


class CoalescedTask:
    """Runs an operation at most once at a time.

    All requests during a run cause one further run together. So a run begins after each request,
    and reads the state of that moment or a newer one.
    """

    __slots__ = ("_requested", "_running")

    def __init__(self) -> None:
        self._requested = False
        self._running: asyncio.Future[None] | None = None

    def request(self, work: Callable[[], Awaitable[None]]) -> None:
        """Run an operation now, or once more after the current run."""
        self._requested = True
        if self._running is None:
            self._running = asyncio.ensure_future(self._run(work))

    async def _run(self, work: Callable[[], Awaitable[None]]) -> None:
        try:
            while self._requested:
                self._requested = False
                await work()
        finally:
            self._running = None


class ChatSocketHandler(tornado.websocket.WebSocketHandler, BaseHandler):
    """A connection of a user, as the hub and its `FrameStream` use it.

    It implements `hub.Connection` and `frame_stream.FrameHandler`.
    """

    # A dict with all attributes would take 0.8 to 1.3 KiB more, in each of thousands of handlers.
    __slots__ = (
        "active_since_check",
        "address",
        "capacity_available",
        "consecutive_bad_frames",
        "in_flight_sends",
        "next_session_check",
        "resync_task",
        "session",
        "session_id",
        "session_task",
        "session_token",
        "stream",
        "translate",
        "user_id",
    )
    SUPPORTED_METHODS = ("GET",)  # a handshake is a GET (RFC 6455, section 4.1)

    def initialize(self) -> None:
        """Set the initial state; Tornado calls this instead of `__init__`."""
        self.session = self.session_token = None
        self.consecutive_bad_frames = 0
        self.in_flight_sends = 0
        self.capacity_available: asyncio.Event | None = None
        self.active_since_check = False
        self.session_task = CoalescedTask()
        self.resync_task = CoalescedTask()
        self.next_session_check = 0.0

    async def prepare(self) -> None:
        """Require a session and the chat's own origin; enforce the rate limit for reads.

        Tornado accepts a handshake without the header Origin. Browsers always send it, so it is
        required here (OWASP WebSocket Security Cheat Sheet).

        Raises:
            HTTPError: 401 without a session, 403 without Origin or for another origin.
            ApiError: 429 above the rate limit.
        """
        await super().prepare()
        if self.session is None:
            raise tornado.web.HTTPError(401)
        if "Origin" not in self.request.headers:
            raise tornado.web.HTTPError(403)
        self.require_own_origin()
        self.enforce_read_limit()  # the hello contains the heads of all conversations

    def render_error(self, status: HTTPStatus, error: ApiError | None) -> None:
        """Respond to a refused handshake with a line of text; browsers do not show it."""
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.finish(f"{reason_phrase(status)}\n")

    async def open(self, *_args: str, **_kwargs: str) -> None:
        """Subscribe the connection to its topics, then send the hello with the heads.

        The connection subscribes before the heads are read. An event that is published in between
        is delivered, and an earlier event is contained in the heads. So the client misses no event
        (docs/decisions/subscribe_before_snapshot.md).
        """
        assert self.ws_connection is not None and self.session is not None
        stream = self.ws_connection.stream
        assert isinstance(stream, FrameStream)
        self.stream = stream
        self.session_id, self.user_id, self.address = self.session.id, self.user.id, self.network
        self.stream.check_frames(self, protocol.MAX_FRAME_BYTES)
        self.stream.max_write_buffer_size = self.chat.options.send_buffer
        self.set_nodelay(True)
        if self.stream.closed():  # closed during the handshake: Tornado has called on_close already
            return
        self.chat.active_connections.add(self)
        try:
            await self.subscribe_and_send_hello()
        except engines.DATABASE_ERRORS as error:
            log.error("a connection was not opened: %s", error)
            self.disconnect(CloseCode.TRY_AGAIN_LATER, "the server is not well")

    async def subscribe_and_send_hello(self) -> None:
        """Register the connection, subscribe it to its topics, and send the hello.

        The connection is closed instead with 1001 during a shutdown, with 3502 if the user or the
        address has too many connections, and with 3500 if the session has ended.
        """
        assert self.session is not None
        hub, options, user = self.chat.hub, self.chat.options, self.session.user
        if hub.is_shut_down:
            self.disconnect(CloseCode.GOING_AWAY, "server is going away")
            return
        if (
            hub.subscriber_count(topics.user(user.id)) >= options.sockets_per_user
            or hub.connections_from(self.address) >= options.sockets_per_address
        ):
            self.disconnect(CloseCode.TOO_MANY_CONNECTIONS, "too many connections")
            return
        self.release_handshake_state()
        hub.register(self)
        await hub.wait_subscribed()
        is_first = await hub.presence.write(user.id)
        assert self.session_token is not None
        snapshot = await self.chat.snapshots.read(user, self.session_token)
        if is_first and snapshot is not None:
            await self.chat.contacts.publish_presence_to(snapshot.watchers, user.id)
        if self not in hub:  # closed during the reads
            return
        # A logout before `register` closes only the connections that are registered already.
        if snapshot is None:
            self.disconnect(CloseCode.SESSION_ENDED, "session ended")
            return
        heads, visible = snapshot.heads, snapshot.presence_visible
        if hub.complete_subscriptions(self, map(topics.conversation, heads)):
            await hub.wait_subscribed()
            heads, visible = await asyncio.gather(
                self.chat.conversations.heads(user), self.chat.contacts.presence_visible_to(user)
            )
        hello = {
            "type": "hello",
            "version": protocol.VERSION,
            "user": self.user.to_private_dict(),
            "online": sorted(await hub.presence.online_among(visible)),
            "invitations": snapshot.invitations,
            "at": now_ms(),
            "heads": heads,
        }
        hub.send_to(self, hello)

    async def online_contacts(self) -> list[int]:
        """Return the ids of the contacts whom the user may see, and who are online.

        An older answer must not follow the event of a change: read it last before it is sent.
        """
        visible = await self.chat.contacts.presence_visible_to(self.user)
        return sorted(await self.chat.hub.presence.online_among(visible))

    def release_handshake_state(self) -> None:
        """Release the headers and cookies of the handshake (4 KiB, see benchmarks/NOTES.md)."""
        self.translate = (self.get_user_locale() or self.get_browser_locale()).translate
        headers = self.request.headers
        for name in list(headers):  # Tornado's HTTP1Connection holds the same object
            del headers[name]
        self._headers = headers
        self.request.__dict__.pop("_cookies", None)

    def on_message(self, message: str | bytes) -> Awaitable[None] | None:
        """Carry out a frame of the client.

        Returns:
            None, or an awaitable; Tornado reads the next frame after the awaitable is done.
        """
        if self not in self.chat.hub:  # disconnected by the server: late frames are ignored
            return None
        try:
            frame = protocol.decode(message)
            self.consecutive_bad_frames = 0
            if isinstance(frame, Send | Edit):
                return self.handle_send(frame)
            return self.handle_signal(frame)
        except ProtocolError as error:
            self.send_error_event(error)
            return None

    def handle_send(self, frame: Send | Edit) -> Awaitable[None] | None:
        """Start to store a message or an edit; `acknowledge` is called after the commit.

        Returns:
            None, or an awaitable that is done when fewer than MAX_IN_FLIGHT_SENDS messages of this
            connection are in flight.

        Raises:
            ProtocolError: the user exceeds the rate limit for messages.
        """
        self.enforce_frame_rate(self.chat.message_limiter, frame.cid)
        self.active_since_check = True
        self.in_flight_sends += 1
        self.chat.messages.post(self.user, frame, lambda stored: self.acknowledge(frame, stored))
        return self.wait_for_capacity() if self.in_flight_sends >= MAX_IN_FLIGHT_SENDS else None

    async def wait_for_capacity(self) -> None:
        """Wait until fewer than MAX_IN_FLIGHT_SENDS messages of this connection are in flight."""
        while self.in_flight_sends >= MAX_IN_FLIGHT_SENDS:
            self.capacity_available = asyncio.Event()
            await self.capacity_available.wait()
        self.capacity_available = None

    async def handle_signal(self, frame: Read | Typing | Ping) -> None:
        """Carry out a frame other than a message; send an error event if that fails.

        A read mark is stored, "is typing" is published, and a ping is answered with the heads.
        """
        try:
            self.enforce_frame_rate(self.chat.signal_limiter)
            match frame:
                case Read():
                    await self.chat.conversations.mark_read(self.user, frame.conv, frame.seq)
                case Typing():
                    await self.chat.messages.require_can_post(self.user, frame.conv)
                    event = {
                        "type": "typing",
                        "conv": frame.conv,
                        "from": self.user.to_public_dict(),
                    }
                    self.chat.hub.publish(topics.conversation(frame.conv), event)
                case Ping():
                    if len(self.chat.hub) >= MIN_CONNECTIONS_TO_GATHER:
                        await self.wait_for_other_pings()
                    if self in self.chat.hub:  # after a shutdown the database is closed, too
                        await self.send_heads()
        except ProtocolError as error:
            self.send_error_event(error)
        except Refusal as refusal:
            self.send_error_event(ProtocolError(refusal.code, refusal.message))
        except sqlalchemy.exc.SQLAlchemyError as error:
            log.error("a frame was not carried out: %s", error)
            self.send_error_event(ProtocolError("unavailable", errors.UNAVAILABLE))

    async def wait_for_other_pings(self) -> None:
        """Wait until the pings that arrive in these 50 ms are answered together."""
        turn = asyncio.Event()
        self.chat.gathered_pings.add(turn.set)
        await turn.wait()

    def enforce_frame_rate(self, limiter: RateLimiter, cid: str | None = None) -> None:
        """Count a frame against a rate limit of the user.

        Args:
            limiter: the rate limiter of this type of frame.
            cid: the client's id of the message, for the error.

        Raises:
            ProtocolError: the user exceeds the limit.
        """
        if not limiter.acquire(self.user_id):
            raise ProtocolError("rate_limited", "You are too fast. Wait a moment.", cid)

    async def send_heads(self, *, with_presence: bool = False) -> None:
        """Send a pong with the heads; subscribe to these conversations and to no others."""
        before = self.chat.hub.subscriptions(self, "conv")
        heads = await self.chat.conversations.heads(self.user)
        self.chat.hub.reconcile(self, before, set(map(topics.conversation, heads)))
        pong = {"type": "pong", "at": now_ms(), "heads": heads}
        if with_presence:
            online = await self.online_contacts()
            # While Redis is away, the page keeps what it knows of the users of other processes.
            if not self.chat.hub.unhealthy_reason():
                pong["online"] = online
        self.chat.hub.send_to(self, pong)

    def admit_frame(self) -> bool:
        """Count a frame of any opcode; return False if the user has sent too many."""
        return self.chat.frame_limiter.acquire(self.user_id)

    def on_pong(self, data: bytes) -> None:
        """Check the session when the browser answers the server's ping.

        With several processes the subscriptions are corrected as well, because a control message
        may have been lost.

        Clients may send unsolicited pongs (RFC 6455, 5.5.3). Each check reads from the database, so
        at most one check is made in half a ping interval. It waits for those of other connections.
        """
        now = asyncio.get_running_loop().time()
        if self not in self.chat.hub or now < self.next_session_check:
            return
        self.next_session_check = now + self.chat.options.ping_interval / 2
        self.chat.pong_checks.add(self.check_after_pong)

    def check_after_pong(self) -> None:
        """Start the checks that `on_pong` describes."""
        self.handle_control(RefreshUser())
        if not self.chat.options.is_single_process:
            self.handle_control(Resync())

    def handle_control(self, message: RefreshUser | Resync) -> None:
        """Start to carry out a control message; see `CoalescedTask` for repeated messages."""
        match message:
            case RefreshUser():
                self.session_task.request(self.revalidate_session)
            case Resync():
                self.resync_task.request(self.resync_subscriptions)

    async def resync_subscriptions(self) -> None:
        """Replace the subscriptions by those in the database; send the heads and the presence.

        This repairs the effects of lost control messages and events, and of a killed process.
        """
        if self not in self.chat.hub:  # after a shutdown the database is closed, too
            return
        try:
            await self.send_heads(with_presence=True)
        except engines.DATABASE_ERRORS as error:  # tried again after the next pong
            log.error("the conversations of a connection were not read: %s", error)

    async def revalidate_session(self) -> None:
        """Close the connection if its session has ended; else send the user if it has changed.

        A logout closes connections at once, by a control message. This check finds the other cases:
        a lost control message, an expired session, and a user whom the operator has disabled.

        Sent messages count as use of the session. An open page alone does not: the session of an
        unused page expires.
        """
        if self not in self.chat.hub:  # after a shutdown the database is closed, too
            return
        token = self.session_token
        was_active, self.active_since_check = self.active_since_check, False
        try:
            session = await self.chat.sessions.get(token, touch=was_active) if token else None
        except engines.DATABASE_ERRORS as error:  # tried again after the next pong
            log.error("a session was not read: %s", error)
            self.active_since_check = self.active_since_check or was_active
            return
        if session is None:
            self.disconnect(CloseCode.SESSION_ENDED, "session ended")
        elif session.user != self.user:
            self.current_user = session.user
            event = {"type": "user", "user": self.user.to_private_dict()}
            self.chat.hub.send_to(self, event)

    def acknowledge(self, frame: Send | Edit, stored: Event | Exception) -> None:
        """Send the ack of a message or an edit, or an error event.

        Args:
            frame: the client's frame.
            stored: the event after its commit, or the exception that prevented it.
        """
        self.in_flight_sends -= 1
        if self.capacity_available is not None:
            self.capacity_available.set()
        match stored:
            case Event():
                position = {"conv": stored.conv, "seq": stored.seq, "at": stored.at}
                self.chat.hub.send_to(self, {"type": "ack", "cid": frame.cid, **position})
            case Refusal():
                self.send_error_event(ProtocolError(stored.code, stored.message, frame.cid))
            case _:
                log.error("a message was not stored: %s", stored)
                text = "The message could not be saved. Try again."
                self.send_error_event(ProtocolError("unavailable", text, frame.cid))

    def send_error_event(self, error: ProtocolError) -> None:
        """Send an error event; close the connection after too many malformed frames in a row."""
        message = self.translate(error.message)
        event = {"type": "error", "code": error.code, "message": message}
        if error.cid is not None:
            event["cid"] = error.cid
        self.chat.hub.send_to(self, event)
        if error.code in protocol.MALFORMED:
            self.consecutive_bad_frames += 1
            if self.consecutive_bad_frames >= MAX_CONSECUTIVE_BAD_FRAMES:
                self.disconnect(CloseCode.BAD_FRAMES, "too many bad frames")

    def has_backlog(self) -> bool:
        """Return whether the connection has a backlog: bytes in the buffer of the stream."""
        return self.stream.writing()

    def send(self, data: bytes) -> None:
        """Write encoded frames; disconnect a slow consumer. Never waits and never raises."""
        try:  # noqa: SIM105
            self.stream.write_now(data)
        except tornado.iostream.StreamClosedError:  # Tornado calls on_close soon
            pass

    def disconnect(self, code: CloseCode, reason: str) -> None:
        """Unregister the connection and send a close frame with this code."""
        self.unregister()
        self.stream.max_write_buffer_size = None  # the close frame must fit into the buffer
        self.close(code, reason)

    def on_close(self) -> None:
        """Unregister the connection; Tornado calls this when it is closed."""
        self.chat.active_connections.remove(self)
        self.in_flight_sends = 0
        if self.capacity_available is not None:
            self.capacity_available.set()
        self.unregister()

    def unregister(self) -> None:
        """Remove the connection from the hub; publish the user as offline after the last one."""
        if self in self.chat.hub:
            self.chat.hub.unregister(self)
            if self.user.id not in self.chat.hub.presence.here and not self.chat.hub.is_shut_down:
                task = asyncio.ensure_future(self.publish_departure())
                self.chat.active_requests.add(task)  # it reads from the database
                task.add_done_callback(self.chat.active_requests.remove)

    async def publish_departure(self) -> None:
        """Publish that the user has gone, unless there is a connection again."""
        try:
            await self.chat.contacts.publish_presence(self.user.id)
        except engines.DATABASE_ERRORS as error:
            log.error("the presence of a user was not published: %s", error)
