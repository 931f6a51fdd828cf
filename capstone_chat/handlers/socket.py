"""The socket: each frame of a client is obeyed or answered with an error."""

import asyncio
import logging
from collections.abc import Awaitable
from http import HTTPStatus

import sqlalchemy.exc
import tornado.httputil
import tornado.iostream
import tornado.web
import tornado.websocket

from capstone_chat import bus, engines, protocol
from capstone_chat.events import Event
from capstone_chat.handlers import wire
from capstone_chat.handlers.base import ApiError, BaseHandler
from capstone_chat.limits import Limit
from capstone_chat.membership import NotFound
from capstone_chat.protocol import Ping, ProtocolError, Read, Send, Typing

log = logging.getLogger(__name__)

BAD_FRAMES_IN_A_ROW = 5
WAITING_SENDS = 64
"""Messages of one socket that may wait for their commit before no more frames are read from it."""


class SocketHandler(tornado.websocket.WebSocketHandler, BaseHandler):
    """One open socket of a logged-in user."""

    def initialize(self) -> None:
        """Begin with nothing amiss and nothing waiting."""
        self.bad_frames = 0
        self.waiting_sends = 0
        self.room_again = asyncio.Event()
        self.used = False

    async def prepare(self) -> None:
        """Let in who is logged in and says where the page came from.

        A browser always sends Origin; Tornado compares it with Host, but lets a handshake without
        it pass (OWASP WebSocket Security Cheat Sheet).
        """
        await super().prepare()
        if self.session is None:
            raise tornado.web.HTTPError(401)
        if "Origin" not in self.request.headers:
            raise tornado.web.HTTPError(403)

    def show_error(self, status: HTTPStatus, error: ApiError | None) -> None:
        """Refuse a handshake without a page: nobody sees it, and who asked may have gone."""
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.finish(f"{status.phrase}\n")

    def get_websocket_protocol(self) -> tornado.websocket.WebSocketProtocol | None:
        """Read frames in bulk."""
        found = super().get_websocket_protocol()
        if isinstance(found, tornado.websocket.WebSocketProtocol13):
            return wire.BufferedProtocol(self, False, found.params)
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
        self.chat.sockets.begin(self)
        try:
            await self.arrive()
        except engines.Unreachable as error:
            log.error("a socket was not opened: %s", error)
            self.end(protocol.TRY_AGAIN, "the server is not well")

    async def arrive(self) -> None:
        """Hear what concerns the user, and say hello."""
        assert self.session is not None
        hub, options = self.chat.hub, self.chat.options
        mine, here = bus.user(self.user.id), bus.address(self.request.remote_ip)
        if hub.closed:
            self.end(protocol.GOING_AWAY, "server is going away")
            return
        if (
            hub.hearing(mine) >= options.sockets_per_user
            or hub.hearing(here) >= options.sockets_per_address
        ):
            self.end(protocol.TOO_MANY, "too many open sockets")
            return
        self.session_id = self.session.id
        self.keep_little()
        first = not hub.is_online(self.user.id)
        hub.begin(self, [mine, here])
        if first:
            self.tell_presence(True)
        await self.chat.bus.settled()
        assert self.token is not None
        arrival = await self.chat.arrivals.look_up(self.user, self.token.decode())
        if self not in hub:  # it may have closed meanwhile
            return
        if arrival is None:  # or somebody has logged out before it heard
            self.end(protocol.SESSION_ENDED, "session ended")
            return
        conversations = map(bus.conversation, arrival.heads)
        hub.settle(self, [*conversations, *map(bus.presence, arrival.visible)])
        await self.chat.bus.settled()
        heads = await self.chat.conversations.heads(self.user)
        who = {"user": self.user.private(), "online": hub.online(self)}
        hub.reply(self, protocol.encode({"type": "hello", **who, "heads": heads}))

    def keep_little(self) -> None:
        """Let go of what only the handshake needed: thousands of sockets lie open and silent."""
        self.token = self.get_signed_cookie(self.cookie_name("session"), max_age_days=366)
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
            return self.store(frame) if isinstance(frame, Send) else self.signal(frame)
        except ProtocolError as error:
            self.refuse(error)
            return None

    def store(self, frame: Send) -> Awaitable[None] | None:
        """Let a message be stored; `sent` hears of it. Reading goes on unless too many wait."""
        self.require_pace(self.chat.sends, frame.cid)
        self.used = True
        self.waiting_sends += 1
        self.chat.messages.post(self.user, frame, lambda stored: self.sent(frame, stored))
        return self.wait_for_room() if self.waiting_sends >= WAITING_SENDS else None

    async def wait_for_room(self) -> None:
        """Wait until fewer messages of this socket wait for their commit."""
        while self.waiting_sends >= WAITING_SENDS:
            self.room_again.clear()
            await self.room_again.wait()

    async def signal(self, frame: Read | Typing | Ping) -> None:
        """Do what a frame says that is not a message."""
        try:
            self.require_pace(self.chat.signals)
            match frame:
                case Read():
                    await self.chat.conversations.mark_read(self.user, frame.conv, frame.seq)
                case Typing():
                    await self.chat.messages.require_may_write(self.user, frame.conv)
                    event = {"type": "typing", "conv": frame.conv, "from": self.user.public()}
                    topic = bus.conversation(frame.conv)
                    self.chat.bus.publish(topic, protocol.encode(event), hint=True)
                case Ping():
                    await self.tell_heads()
        except ProtocolError as error:
            self.refuse(error)
        except NotFound:
            self.refuse(ProtocolError("not_found", "There is no such conversation."))
        except sqlalchemy.exc.SQLAlchemyError as error:
            log.error("a frame was not obeyed: %s", error)
            self.refuse(ProtocolError("unavailable", "The server is not well. Try again."))

    def require_pace(self, limit: Limit, cid: str | None = None) -> None:
        """Let a frame pass unless this user sends too many."""
        if not limit.take(self.user.id):
            raise ProtocolError("rate_limited", "You are too fast. Wait a moment.", cid)

    async def tell_heads(self) -> None:
        """Tell the client how far each conversation is, and hear just these from now on."""
        before = self.chat.hub.topics(self, "conv")
        heads = await self.chat.conversations.heads(self.user)
        self.chat.hub.correct(self, before, set(map(bus.conversation, heads)))
        self.chat.hub.reply(self, protocol.encode({"type": "pong", "heads": heads}))

    def on_pong(self, data: bytes) -> None:
        """See, each time the browser answers the server's ping, that the session has not ended."""
        if self not in self.chat.hub:  # the server has closed, and its database with it
            return
        self.renew()
        if not self.chat.options.alone:
            self.look_again()

    def look_again(self) -> None:
        """See whether another process has changed what this socket may hear."""
        self.looking = asyncio.ensure_future(self.check_places())

    async def check_places(self) -> None:
        """Hear just what the user may hear, whatever the bus has lost, and tell the heads."""
        before = self.chat.hub.topics(self, "presence")
        try:
            visible = await self.chat.contacts.visible(self.user)
            self.chat.hub.correct(self, before, set(map(bus.presence, visible)))
            await self.tell_heads()
        except engines.Unreachable as error:  # the next pong asks again
            log.error("the conversations of a socket were not looked up: %s", error)

    def renew(self) -> None:
        """Look again at the session and its user: what is written next carries the new name."""
        self.checking = asyncio.ensure_future(self.check_session())

    async def check_session(self) -> None:
        """Close the socket when its session has ended, in whatever process and for whatever reason.

        Logging out closes it at once, by the bus; this is for what the bus has lost, for sessions
        that ran out, and for users whom the operator has disabled. An open page alone does not keep
        a session from ending for want of use; messages do.
        """
        token = self.token
        used, self.used = self.used, False
        try:
            session = await self.chat.sessions.find(token.decode(), use=used) if token else None
        except engines.Unreachable as error:  # the next pong asks again
            log.error("a session was not looked up: %s", error)
            self.used = self.used or used
            return
        if session is None:
            self.end(protocol.SESSION_ENDED, "session ended")
        else:
            self.current_user = session.user

    def sent(self, frame: Send, stored: Event | Exception) -> None:
        """Acknowledge a message that is on the disk, or say why it is not."""
        self.waiting_sends -= 1
        self.room_again.set()
        match stored:
            case Event():
                place = {"conv": stored.conv, "seq": stored.seq, "at": stored.at}
                ack = {"type": "ack", "cid": frame.cid, **place}
                self.chat.hub.reply(self, protocol.encode(ack))
            case ProtocolError():
                self.refuse(stored)
            case _:
                log.error("a message was not stored: %s", stored)
                text = "The message could not be stored. Try again."
                self.refuse(ProtocolError("unavailable", text, frame.cid))

    def refuse(self, error: ProtocolError) -> None:
        """Answer with an error event; the socket lives on."""
        message = self.locale.translate(error.message)
        event = {"type": "error", "code": error.code, "message": message}
        if error.cid is not None:
            event["cid"] = error.cid
        self.chat.hub.reply(self, protocol.encode(event))
        if error.code in protocol.MALFORMED:
            self.bad_frames += 1
            if self.bad_frames >= BAD_FRAMES_IN_A_ROW:
                self.end(protocol.BAD_FRAMES, "too many bad frames")

    def tell_presence(self, online: bool) -> None:
        """Tell those who may see it that the user came or went."""
        event = {"type": "presence", "user": self.user.id, "online": online}
        self.chat.bus.publish(bus.presence(self.user.id), protocol.encode(event), hint=True)

    def is_behind(self) -> bool:
        """Tell whether what was written before still waits for a slow reader."""
        return self.stream.writing()

    def send(self, data: bytes) -> None:
        """Write frames that are ready for the wire; a reader that is too slow loses its socket."""
        try:
            wire.write(self.stream, data)
        except tornado.iostream.StreamBufferFullError:
            self.end(protocol.SLOW, "reading too slowly")
        except tornado.iostream.StreamClosedError:
            pass  # on_close is on its way

    def end(self, code: int, reason: str) -> None:
        """Close the socket; see `protocol` for the codes."""
        self.forget()
        self.stream.max_write_buffer_size = None  # the close frame itself must fit
        self.close(code, reason)

    def on_close(self) -> None:
        """Forget the socket."""
        self.chat.sockets.end(self)
        self.waiting_sends = 0
        self.room_again.set()
        self.forget()

    def forget(self) -> None:
        """Hear nothing more; with a user's last socket the user goes."""
        if self in self.chat.hub:
            self.chat.hub.drop(self)
            if not self.chat.hub.is_online(self.user.id):
                self.tell_presence(False)
