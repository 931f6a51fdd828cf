"""The handler of a connection: it carries out the frames of a client, or answers an error."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from http import HTTPStatus

import sqlalchemy.exc
import tornado.httputil
import tornado.iostream
import tornado.web
import tornado.websocket

from capstone_chat.conversations.errors import NotFound
from capstone_chat.conversations.event_log import Event
from capstone_chat.handlers import fast_websocket
from capstone_chat.handlers.base import ApiError, BaseHandler, reason_phrase
from capstone_chat.rate_limiter import RateLimiter
from capstone_chat.realtime import protocol, topics
from capstone_chat.realtime.protocol import CloseCode, Ping, ProtocolError, Read, Send, Typing
from capstone_chat.storage import engines
from capstone_chat.storage.database import now_ms

log = logging.getLogger(__name__)

MAX_CONSECUTIVE_BAD_FRAMES = 5
MAX_IN_FLIGHT_SENDS = 64
"""Messages of one connection that may wait for their commit before no more frames are read from
it."""


class CoalescedTask:
    """Work that runs at most once at a time.

    All requests during a run cause one more run together, so the last run always begins after the
    last request.
    """

    def __init__(self) -> None:
        self._requested = False
        self._running: asyncio.Future[None] | None = None

    def request(self, work: Callable[[], Awaitable[None]]) -> None:
        """Run the work, at once or after the current run."""
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
    """One open socket of a logged-in user."""

    def initialize(self) -> None:
        """Begin with nothing amiss and nothing waiting."""
        self.consecutive_bad_frames = 0
        self.in_flight_sends = 0
        self.capacity_available = asyncio.Event()
        self.active_since_check = False
        self.session_task = CoalescedTask()
        self.resync_task = CoalescedTask()
        self.next_session_check = 0.0

    async def prepare(self) -> None:
        """Accept only users who are logged in and whose request names its origin.

        A browser always sends Origin; Tornado lets a handshake without it pass (OWASP WebSocket
        Security Cheat Sheet).
        """
        await super().prepare()
        if self.session is None:
            raise tornado.web.HTTPError(401)
        if "Origin" not in self.request.headers:
            raise tornado.web.HTTPError(403)
        self.require_own_origin()
        self.enforce_read_limit()  # the greeting reads the heads of all conversations

    def render_error(self, status: HTTPStatus, error: ApiError | None) -> None:
        """Refuse a handshake without a page: nobody sees it, and who asked may have gone."""
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.finish(f"{reason_phrase(status)}\n")

    def get_websocket_protocol(self) -> tornado.websocket.WebSocketProtocol | None:
        """Read frames in bulk."""
        found = super().get_websocket_protocol()
        if isinstance(found, tornado.websocket.WebSocketProtocol13):
            return fast_websocket.BufferedProtocol(self, False, found.params)
        return found  # None: a version of long ago

    async def open(self, *_args: str, **_kwargs: str) -> None:
        """Subscribe to what concerns the user, then send the hello with the heads.

        The heads are read after the connection has subscribed: an event between the two is
        delivered, and an earlier one is in the heads, so none is missed.
        """
        assert self.ws_connection is not None and self.session is not None
        assert self.ws_connection.stream is not None
        self.stream = self.ws_connection.stream
        self.stream.max_write_buffer_size = self.chat.options.send_buffer
        self.set_nodelay(True)
        if self.stream.closed():  # it has gone during the handshake, and on_close was called then
            return
        self.chat.active_connections.add(self)
        try:
            await self.subscribe_and_greet()
        except engines.DATABASE_ERRORS as error:
            log.error("a socket was not opened: %s", error)
            self.disconnect(CloseCode.TRY_AGAIN_LATER, "the server is not well")

    async def subscribe_and_greet(self) -> None:
        """Subscribe to what concerns the user, and send the hello."""
        assert self.session is not None
        hub, options = self.chat.hub, self.chat.options
        user_topic, address_topic = topics.user(self.user.id), topics.address(self.network)
        if hub.is_shut_down:
            self.disconnect(CloseCode.GOING_AWAY, "server is going away")
            return
        if (
            hub.subscriber_count(user_topic) >= options.sockets_per_user
            or hub.subscriber_count(address_topic) >= options.sockets_per_address
        ):
            self.disconnect(CloseCode.TOO_MANY_CONNECTIONS, "too many open sockets")
            return
        self.session_id = self.session.id
        self.release_handshake_state()
        first = not hub.is_online(self.user.id)
        hub.register(self, [user_topic, address_topic])
        if first:
            self.publish_presence(True)
        await self.chat.broker.wait_subscribed()
        assert self.session_token is not None
        arrival = await self.chat.arrivals.load(self.user, self.session_token)
        if self not in hub:  # it may have closed meanwhile
            return
        if arrival is None:  # or the user has logged out before it subscribed
            self.disconnect(CloseCode.SESSION_ENDED, "session ended")
            return
        conversations = map(topics.conversation, arrival.heads)
        hub.complete_subscriptions(self, [*conversations, *map(topics.presence, arrival.visible)])
        await self.chat.broker.wait_subscribed()
        heads = await self.chat.conversations.heads(self.user)
        hello = {
            "type": "hello",
            "user": self.user.to_private_dict(),
            "online": hub.visible_online(self),
            "invitations": arrival.invitations,
            "at": now_ms(),
            "heads": heads,
        }
        hub.send_to(self, protocol.encode(hello))

    def release_handshake_state(self) -> None:
        """Free the memory that only the handshake needed: thousands of connections are idle."""
        assert self.locale  # found by the headers, and kept
        self.request.headers = self._headers = tornado.httputil.HTTPHeaders()
        self.request.__dict__.pop("_cookies", None)

    def on_message(self, message: str | bytes) -> Awaitable[None] | None:
        """Carry out a frame. The next one is read when what this returns is done."""
        if self not in self.chat.hub:  # the server has closed it; what still comes is ignored
            return None
        try:
            frame = protocol.decode(message)
            self.consecutive_bad_frames = 0
            return self.handle_send(frame) if isinstance(frame, Send) else self.handle_signal(frame)
        except ProtocolError as error:
            self.send_error_event(error)
            return None

    def handle_send(self, frame: Send) -> Awaitable[None] | None:
        """Store a message; `acknowledge` gets the result. While too many are in flight, no frame is
        read."""
        self.enforce_frame_rate(self.chat.message_limiter, frame.cid)
        self.active_since_check = True
        self.in_flight_sends += 1
        self.chat.messages.post(self.user, frame, lambda stored: self.acknowledge(frame, stored))
        return self.wait_for_capacity() if self.in_flight_sends >= MAX_IN_FLIGHT_SENDS else None

    async def wait_for_capacity(self) -> None:
        """Wait until fewer messages of this connection are in flight."""
        while self.in_flight_sends >= MAX_IN_FLIGHT_SENDS:
            self.capacity_available.clear()
            await self.capacity_available.wait()

    async def handle_signal(self, frame: Read | Typing | Ping) -> None:
        """Do what a frame says that is not a message."""
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
                    topic = topics.conversation(frame.conv)
                    self.chat.broker.publish(topic, protocol.encode(event), volatile=True)
                case Ping():
                    await self.send_heads()
        except ProtocolError as error:
            self.send_error_event(error)
        except NotFound:
            self.send_error_event(ProtocolError("not_found", "There is no such conversation."))
        except sqlalchemy.exc.SQLAlchemyError as error:
            log.error("a frame was not obeyed: %s", error)
            self.send_error_event(
                ProtocolError("unavailable", "The server is not well. Try again.")
            )

    def enforce_frame_rate(self, limiter: RateLimiter, cid: str | None = None) -> None:
        """Raise ProtocolError if this user sends too many frames of a kind."""
        if not limiter.acquire(self.user.id):
            raise ProtocolError("rate_limited", "You are too fast. Wait a moment.", cid)

    async def send_heads(self) -> None:
        """Send the heads, and subscribe to just these conversations."""
        before = self.chat.hub.subscriptions(self, "conv")
        heads = await self.chat.conversations.heads(self.user)
        self.chat.hub.reconcile(self, before, set(map(topics.conversation, heads)))
        self.chat.hub.send_to(
            self, protocol.encode({"type": "pong", "at": now_ms(), "heads": heads})
        )

    def admit_frame(self) -> bool:
        """Count a frame of any kind; return False when this user sends too many."""
        return self.chat.frame_limiter.acquire(self.user.id)

    def on_pong(self, data: bytes) -> None:
        """Check the session when the browser answers the server's ping.

        A client may send pongs unasked (RFC 6455, 5.5.3). Only one in half a ping interval causes a
        check, as each check asks the database.
        """
        now = asyncio.get_running_loop().time()
        if self not in self.chat.hub or now < self.next_session_check:
            return
        self.next_session_check = now + self.chat.options.ping_interval / 2
        self.refresh_user()
        if not self.chat.options.is_single_process:
            self.schedule_resync()

    def schedule_resync(self) -> None:
        """Start a resync, now or after the current one."""
        self.resync_task.request(self.resync_subscriptions)

    async def resync_subscriptions(self) -> None:
        """Correct the subscriptions, whatever control messages were lost, and send the heads."""
        if self not in self.chat.hub:  # the server has closed, and its database with it
            return
        before = self.chat.hub.subscriptions(self, "presence")
        try:
            visible = await self.chat.contacts.presence_visible_to(self.user)
            self.chat.hub.reconcile(self, before, set(map(topics.presence, visible)))
            await self.send_heads()
        except engines.DATABASE_ERRORS as error:  # the next pong asks again
            log.error("the conversations of a socket were not looked up: %s", error)

    def refresh_user(self) -> None:
        """Read the session and its user again: what is written next carries the new name."""
        self.session_task.request(self.revalidate_session)

    async def revalidate_session(self) -> None:
        """Close the socket when its session has ended, in whatever process and for whatever reason.

        A logout closes it at once, by a control message; this is for a lost one, for sessions that
        ran out, and for users whom the operator has disabled. An open page alone does not keep
        a session from ending for want of use; messages do.
        """
        if self not in self.chat.hub:  # the server has closed, and its database with it
            return
        token = self.session_token
        was_active, self.active_since_check = self.active_since_check, False
        try:
            session = await self.chat.sessions.get(token, touch=was_active) if token else None
        except engines.DATABASE_ERRORS as error:  # the next pong asks again
            log.error("a session was not looked up: %s", error)
            self.active_since_check = self.active_since_check or was_active
            return
        if session is None:
            self.disconnect(CloseCode.SESSION_ENDED, "session ended")
        else:
            self.current_user = session.user

    def acknowledge(self, frame: Send, stored: Event | Exception) -> None:
        """Acknowledge a message that is on the disk, or say why it is not."""
        self.in_flight_sends -= 1
        self.capacity_available.set()
        match stored:
            case Event():
                position = {"conv": stored.conv, "seq": stored.seq, "at": stored.at}
                ack = {"type": "ack", "cid": frame.cid, **position}
                self.chat.hub.send_to(self, protocol.encode(ack))
            case ProtocolError():
                self.send_error_event(stored)
            case _:
                log.error("a message was not stored: %s", stored)
                text = "The message could not be stored. Try again."
                self.send_error_event(ProtocolError("unavailable", text, frame.cid))

    def send_error_event(self, error: ProtocolError) -> None:
        """Answer with an error event, and close the connection after too many malformed frames."""
        message = self.locale.translate(error.message)
        event = {"type": "error", "code": error.code, "message": message}
        if error.cid is not None:
            event["cid"] = error.cid
        self.chat.hub.send_to(self, protocol.encode(event))
        if error.code in protocol.MALFORMED:
            self.consecutive_bad_frames += 1
            if self.consecutive_bad_frames >= MAX_CONSECUTIVE_BAD_FRAMES:
                self.disconnect(CloseCode.BAD_FRAMES, "too many bad frames")

    def publish_presence(self, online: bool) -> None:
        """Publish whether the user is online."""
        event = {"type": "presence", "user": self.user.id, "online": online}
        self.chat.broker.publish(
            topics.presence(self.user.id), protocol.encode(event), volatile=True
        )

    def has_backlog(self) -> bool:
        """Tell whether what was written before still waits for a slow reader."""
        return self.stream.writing()

    def send(self, data: bytes) -> None:
        """Write frames that are ready for the wire; a reader that is too slow loses its socket."""
        try:
            fast_websocket.write_now(self.stream, data)
        except tornado.iostream.StreamBufferFullError:
            self.disconnect(CloseCode.SLOW_CONSUMER, "reading too slowly")
        except tornado.iostream.StreamClosedError:
            pass  # on_close is on its way

    def disconnect(self, code: CloseCode, reason: str) -> None:
        """Close the connection."""
        self.unregister()
        self.stream.max_write_buffer_size = None  # the close frame itself must fit
        self.close(code, reason)

    def on_close(self) -> None:
        """Forget the socket."""
        self.chat.active_connections.remove(self)
        self.in_flight_sends = 0
        self.capacity_available.set()
        self.unregister()

    def unregister(self) -> None:
        """Remove the connection from the hub; after a user's last one the user is offline."""
        if self in self.chat.hub:
            self.chat.hub.unregister(self)
            if not self.chat.hub.is_online(self.user.id):
                self.publish_presence(False)
