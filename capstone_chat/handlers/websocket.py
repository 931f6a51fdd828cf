"""The socket: each frame of a client is obeyed or answered with an error."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from http import HTTPStatus

import sqlalchemy.exc
import tornado.httputil
import tornado.iostream
import tornado.web
import tornado.websocket

from capstone_chat.conversations.event_log import Event
from capstone_chat.conversations.membership import NotFound
from capstone_chat.handlers import fast_websocket
from capstone_chat.handlers.base import ApiError, BaseHandler, phrase
from capstone_chat.rate_limiter import RateLimiter
from capstone_chat.realtime import protocol, topics
from capstone_chat.realtime.protocol import Ping, ProtocolError, Read, Send, Typing
from capstone_chat.storage import engines
from capstone_chat.storage.database import now_ms

log = logging.getLogger(__name__)

BAD_FRAMES_IN_A_ROW = 5
WAITING_SENDS = 64
"""Messages of one socket that may wait for their commit before no more frames are read from it."""


class OneAtATime:
    """Runs some work at most once at a time. Requests that come while it runs cause together one
    more run, so that the last run always begins after the last request."""

    def __init__(self) -> None:
        self._requested = False
        self._running: asyncio.Future[None] | None = None

    def request(self, work: Callable[[], Awaitable[None]]) -> None:
        """Run the work, now or after the current run."""
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


class SocketHandler(tornado.websocket.WebSocketHandler, BaseHandler):
    """One open socket of a logged-in user."""

    def initialize(self) -> None:
        """Begin with nothing amiss and nothing waiting."""
        self.bad_frames = 0
        self.in_flight_sends = 0
        self.capacity_available = asyncio.Event()
        self.active_since_check = False
        self.session_check = OneAtATime()
        self.places_check = OneAtATime()
        self.next_check = 0.0

    async def prepare(self) -> None:
        """Let in who is logged in and says where the page came from.

        A browser always sends Origin; Tornado lets a handshake without it pass (OWASP WebSocket
        Security Cheat Sheet).
        """
        await super().prepare()
        if self.session is None:
            raise tornado.web.HTTPError(401)
        if "Origin" not in self.request.headers:
            raise tornado.web.HTTPError(403)
        self.require_own_origin()
        self.require_read()  # the greeting reads the heads of all conversations

    def render_error(self, status: HTTPStatus, error: ApiError | None) -> None:
        """Refuse a handshake without a page: nobody sees it, and who asked may have gone."""
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.finish(f"{phrase(status)}\n")

    def get_websocket_protocol(self) -> tornado.websocket.WebSocketProtocol | None:
        """Read frames in bulk."""
        found = super().get_websocket_protocol()
        if isinstance(found, tornado.websocket.WebSocketProtocol13):
            return fast_websocket.BufferedProtocol(self, False, found.params)
        return found  # None: a version of long ago

    async def open(self, *_args: str, **_kwargs: str) -> None:
        """Hear what concerns the user, then say hello with the heads of the conversations.

        The heads are read after the socket hears: what comes between the two is delivered, and what
        came before is in the heads, so nothing falls between.
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
            self.disconnect(protocol.TRY_AGAIN, "the server is not well")

    async def subscribe_and_greet(self) -> None:
        """Hear what concerns the user, and say hello."""
        assert self.session is not None
        hub, options = self.chat.hub, self.chat.options
        mine, here = topics.user(self.user.id), topics.address(self.network)
        if hub.is_shut_down:
            self.disconnect(protocol.GOING_AWAY, "server is going away")
            return
        if (
            hub.subscriber_count(mine) >= options.sockets_per_user
            or hub.subscriber_count(here) >= options.sockets_per_address
        ):
            self.disconnect(protocol.TOO_MANY, "too many open sockets")
            return
        self.session_id = self.session.id
        self.release_handshake_state()
        first = not hub.is_online(self.user.id)
        hub.register(self, [mine, here])
        if first:
            self.publish_presence(True)
        await self.chat.broker.wait_subscribed()
        assert self.session_token is not None
        arrival = await self.chat.arrivals.load(self.user, self.session_token)
        if self not in hub:  # it may have closed meanwhile
            return
        if arrival is None:  # or somebody has logged out before it heard
            self.disconnect(protocol.SESSION_ENDED, "session ended")
            return
        conversations = map(topics.conversation, arrival.heads)
        hub.complete_subscriptions(self, [*conversations, *map(topics.presence, arrival.visible)])
        await self.chat.broker.wait_subscribed()
        heads = await self.chat.conversations.heads(self.user)
        who = {
            "user": self.user.private(),
            "online": hub.visible_online(self),
            "invitations": arrival.invitations,
        }
        hub.send_to(self, protocol.encode({"type": "hello", **who, "at": now_ms(), "heads": heads}))

    def release_handshake_state(self) -> None:
        """Let go of what only the handshake needed: thousands of sockets lie open and silent."""
        assert self.locale  # found by the headers, and kept
        self.request.headers = self._headers = tornado.httputil.HTTPHeaders()
        self.request.__dict__.pop("_cookies", None)

    def on_message(self, message: str | bytes) -> Awaitable[None] | None:
        """Obey a frame. The next one is read when what this returns is done."""
        if self not in self.chat.hub:  # the server has closed; what still comes is not obeyed
            return None
        try:
            frame = protocol.decode(message)
            self.bad_frames = 0
            return self.handle_send(frame) if isinstance(frame, Send) else self.handle_signal(frame)
        except ProtocolError as error:
            self.send_error_event(error)
            return None

    def handle_send(self, frame: Send) -> Awaitable[None] | None:
        """Let a message be stored; `sent` hears of it. Reading goes on unless too many wait."""
        self.enforce_pace(self.chat.message_limiter, frame.cid)
        self.active_since_check = True
        self.in_flight_sends += 1
        self.chat.messages.post(self.user, frame, lambda stored: self.acknowledge(frame, stored))
        return self.wait_for_capacity() if self.in_flight_sends >= WAITING_SENDS else None

    async def wait_for_capacity(self) -> None:
        """Wait until fewer messages of this socket wait for their commit."""
        while self.in_flight_sends >= WAITING_SENDS:
            self.capacity_available.clear()
            await self.capacity_available.wait()

    async def handle_signal(self, frame: Read | Typing | Ping) -> None:
        """Do what a frame says that is not a message."""
        try:
            self.enforce_pace(self.chat.signal_limiter)
            match frame:
                case Read():
                    await self.chat.conversations.mark_read(self.user, frame.conv, frame.seq)
                case Typing():
                    await self.chat.messages.require_may_write(self.user, frame.conv)
                    event = {"type": "typing", "conv": frame.conv, "from": self.user.public()}
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

    def enforce_pace(self, limit: RateLimiter, cid: str | None = None) -> None:
        """Raise ProtocolError if this user sends too many frames of a kind."""
        if not limit.acquire(self.user.id):
            raise ProtocolError("rate_limited", "You are too fast. Wait a moment.", cid)

    async def send_heads(self) -> None:
        """Tell the client how far each conversation is, and hear just these from now on."""
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
        if self not in self.chat.hub or now < self.next_check:
            return
        self.next_check = now + self.chat.options.ping_interval / 2
        self.refresh_user()
        if not self.chat.options.is_single_process:
            self.schedule_resync()

    def schedule_resync(self) -> None:
        """See whether another process has changed what this socket may hear."""
        self.places_check.request(self.resync_subscriptions)

    async def resync_subscriptions(self) -> None:
        """Hear just what the user may hear, whatever the bus has lost, and tell the heads."""
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
        """Look again at the session and its user: what is written next carries the new name."""
        self.session_check.request(self.revalidate_session)

    async def revalidate_session(self) -> None:
        """Close the socket when its session has ended, in whatever process and for whatever reason.

        Logging out closes it at once, by the bus; this is for what the bus has lost, for sessions
        that ran out, and for users whom the operator has disabled. An open page alone does not keep
        a session from ending for want of use; messages do.
        """
        if self not in self.chat.hub:  # the server has closed, and its database with it
            return
        token = self.session_token
        used, self.active_since_check = self.active_since_check, False
        try:
            session = await self.chat.sessions.get(token, touch=used) if token else None
        except engines.DATABASE_ERRORS as error:  # the next pong asks again
            log.error("a session was not looked up: %s", error)
            self.active_since_check = self.active_since_check or used
            return
        if session is None:
            self.disconnect(protocol.SESSION_ENDED, "session ended")
        else:
            self.current_user = session.user

    def acknowledge(self, frame: Send, stored: Event | Exception) -> None:
        """Acknowledge a message that is on the disk, or say why it is not."""
        self.in_flight_sends -= 1
        self.capacity_available.set()
        match stored:
            case Event():
                place = {"conv": stored.conv, "seq": stored.seq, "at": stored.at}
                ack = {"type": "ack", "cid": frame.cid, **place}
                self.chat.hub.send_to(self, protocol.encode(ack))
            case ProtocolError():
                self.send_error_event(stored)
            case _:
                log.error("a message was not stored: %s", stored)
                text = "The message could not be stored. Try again."
                self.send_error_event(ProtocolError("unavailable", text, frame.cid))

    def send_error_event(self, error: ProtocolError) -> None:
        """Answer with an error event; the socket lives on."""
        message = self.locale.translate(error.message)
        event = {"type": "error", "code": error.code, "message": message}
        if error.cid is not None:
            event["cid"] = error.cid
        self.chat.hub.send_to(self, protocol.encode(event))
        if error.code in protocol.MALFORMED:
            self.bad_frames += 1
            if self.bad_frames >= BAD_FRAMES_IN_A_ROW:
                self.disconnect(protocol.BAD_FRAMES, "too many bad frames")

    def publish_presence(self, online: bool) -> None:
        """Tell those who may see it that the user came or went."""
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
            fast_websocket.write(self.stream, data)
        except tornado.iostream.StreamBufferFullError:
            self.disconnect(protocol.SLOW_CONSUMER, "reading too slowly")
        except tornado.iostream.StreamClosedError:
            pass  # on_close is on its way

    def disconnect(self, code: int, reason: str) -> None:
        """Close the socket; see `protocol` for the codes."""
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
        """Hear nothing more; with a user's last socket the user goes."""
        if self in self.chat.hub:
            self.chat.hub.unregister(self)
            if not self.chat.hub.is_online(self.user.id):
                self.publish_presence(False)
