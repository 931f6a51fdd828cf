"""Members of two processes hear each other, each of them once, and no other channel.

Needs:  redis
"""

import asyncio
import contextlib
import os
import secrets
import sys
from collections.abc import Callable

import redis
import tornado.web
from tornado.httpclient import HTTPError, HTTPRequest
from tornado.websocket import (
    WebSocketClientConnection,
    WebSocketClosedError,
    websocket_connect,
)

from course.testing.http import InvalidSubmission, Mismatch
from course.testing.services import ServiceCase

REDIS = os.environ.get("TEST_REDIS_URL", "redis://localhost:6379/0")
UNSUPPORTED = 1003  # the close code for data of a kind that is not accepted
PATIENCE = 2.0  # seconds until both processes have subscribed: until then, what is said is lost
TOGETHER = 0.7  # seconds from when each hears itself until each hears the other
STUB = "main(): leave the options and the route unchanged."
BLOCKED = (
    "The process does not answer: something blocks its event loop. Use redis.asyncio, and await it."
)
SUBSCRIBE = (
    "main(): nothing comes back from the broker. A task has to subscribe to options.channel, and "
    "to listen as long as the process runs:\n"
    "async with broker.pubsub() as pubsub: await pubsub.subscribe(...); async for event in\n"
    "pubsub.listen(): ..."
)
PUBLISH = (
    "on_message(): the members of the other process hear nothing: await "
    "broker.publish(options.channel, message)"
)
SPEAKER = (
    "The member who sent it hears it too: write to all members when it comes back from the broker."
)
SAME = "Each process writes to its own members what the broker sends, and the text as it was said."
TYPE = (
    "pubsub.listen() also reports that it has subscribed. Write event['data'] only if "
    "event['type'] == 'message', and decode it if it is bytes."
)
BYTES = (
    "on_message(): bytes that are no text raise, in decode() or where you listen. Publish only a "
    "str; or pass a binary frame on as it is, or refuse it: self.close(1003)."
)
ONCE = (
    "on_message(): only publish. What is said comes back to this process too, from the broker; "
    "each process needs one subscription that writes to all its members, or each member "
    "one of its own."
)
CHANNEL = "Publish and subscribe to options.channel: other chats use the same Redis."


class Member:
    """A socket, and the texts that came to it."""

    def __init__(self, name: str) -> None:
        self.name, self.count = name, 0
        self.heard: list[str] = []
        self.connection: WebSocketClientConnection | None = None
        self.ended = False

    def on_message(self, message: str | bytes | None) -> None:
        if message is None:
            self.ended = True
        elif isinstance(message, str):  # whether binary frames are passed on is not asked
            self.heard.append(message)

    @property
    def said(self) -> list[str]:
        """The texts without those that were sent to find out who listens."""
        return [text for text in self.heard if "ready " not in text]

    async def say(self, message: str | bytes) -> None:
        assert self.connection
        await self.connection.write_message(message, binary=isinstance(message, bytes))

    def hears(self, speaker: "Member") -> bool:
        return any(f"ready {speaker.name} " in text for text in self.heard)


async def until(condition: Callable[[], bool], seconds: float) -> bool:
    """Wait for a condition; whether it has come true."""
    limit = asyncio.get_running_loop().time() + seconds
    while not condition():
        if asyncio.get_running_loop().time() > limit:
            return False
        await asyncio.sleep(0.01)
    return True


class TwoProcessesChat(ServiceCase):
    def setUp(self) -> None:
        super().setUp()
        with redis.Redis.from_url(REDIS) as broker:
            try:
                broker.ping()
            except redis.ConnectionError:
                raise InvalidSubmission(
                    f"This check needs Redis, which does not answer at {REDIS}. Debian, Ubuntu: "
                    "sudo apt install redis-server; or docker run -p 6379:6379 redis. Elsewhere: "
                    "set TEST_REDIS_URL. Your file may be right: without it nobody can tell."
                ) from None
        self.channel = f"check-{secrets.token_hex(8)}"
        self.steps: list[str] = []
        for port in self.apps:
            self.start_process(port, self.channel)

    def get_app(self) -> tornado.web.Application:
        return tornado.web.Application()  # nobody asks it: two processes are started

    def start_process(self, port: int, channel: str) -> None:
        arguments = [f"--port={port}", f"--redis={REDIS}", f"--channel={channel}"]
        command = [sys.executable, str(self.subject.__file__), *arguments]
        self.start(command, port, label=f"python3 FILE --port={port}", advice=STUB)

    def mismatch(self, received: str, expected: str, advice: str) -> Mismatch:
        """A failure with what was done, and what the processes have written."""
        lines = [
            line for port in self.apps for line in self.last_log_lines(str(port)) if "Error" in line
        ]
        told = "\n".join([received, *dict.fromkeys(lines)])
        return Mismatch(sent="\n".join(self.steps), received=told, expected=expected, advice=advice)

    async def enter(self, name: str, port: int) -> Member:
        member = Member(name)
        self.steps.append(f"{name}: WebSocket /chat of port {port}")
        request = HTTPRequest(f"ws://localhost:{port}/chat", request_timeout=1.5)
        try:
            member.connection = await websocket_connect(
                request, on_message_callback=member.on_message
            )
        except (HTTPError, OSError) as error:
            advice = BLOCKED if isinstance(error, HTTPError) and error.code == 599 else STUB
            raise self.mismatch(str(error), "the socket opens", advice) from None
        return member

    async def ready(self, *members: Member) -> None:
        """Wait until each hears everybody; until then it is not known who listens."""
        now = asyncio.get_running_loop().time
        limit, apart = now() + PATIENCE, None
        while not all(one.hears(other) for one in members for other in members):
            if apart is None and all(member.hears(member) for member in members):
                apart = now() + TOGETHER
            if now() > min(limit, apart or limit):
                deaf = [(a, b) for a in members for b in members if not a.hears(b)]
                advice = PUBLISH
                if len(deaf) == len(members) ** 2:
                    advice = SUBSCRIBE
                elif all(one is other for one, other in deaf):
                    advice = SPEAKER
                self.steps.append("all of them say something, several times")
                told = [f"{one.name} does not hear {other.name}" for one, other in deaf]
                raise self.mismatch("\n".join(told), "everybody hears everybody", advice)
            for member in members:
                member.count += 1
                try:
                    await member.say(f"ready {member.name} {member.count}")
                except WebSocketClosedError:
                    received = f"the WebSocket of {member.name} was closed"
                    raise self.mismatch(received, "it stays open", TYPE) from None
            await until(lambda: all(a.hears(b) for a in members for b in members), 0.1)

    async def expect_heard(self, texts: list[str], members: list[Member], advice: str) -> None:
        """Raise `Mismatch` unless these are all texts that each of them has heard."""
        last = texts[-1]
        await until(lambda: all(last in member.said or member.ended for member in members), 1)
        for member in members:
            if member.said == texts:
                continue
            if advice == CHANNEL and "in the other channel" in member.said:
                pass
            elif len(member.said) > len(set(member.said)):
                advice = ONCE
            elif [text for text in member.said if text not in texts]:
                advice = TYPE
            received = f"{member.name} has heard {member.said}"
            received += "; then the socket was closed" if member.ended else ""
            raise self.mismatch(received, f"{member.name} has heard {texts}", advice)

    async def say(self, member: Member, message: str | bytes) -> None:
        kind = "binary" if isinstance(message, bytes) else "text"
        self.steps.append(f"{member.name}: {kind}  {message!r}")
        await member.say(message)

    def test_members_of_both_processes_hear_each_other(self) -> None:
        self.io_loop.run_sync(self.conversation, timeout=20)

    async def conversation(self) -> None:
        ada, bob = [
            await self.enter(n, port) for n, port in zip(("Ada", "Bob"), self.apps, strict=True)
        ]
        await self.ready(ada, bob)
        cy = await self.enter("Cy", self.apps[0])
        await self.ready(ada, bob, cy)
        members, texts = [ada, bob, cy], []
        for speaker, text in ((ada, "Hello"), (bob, "你好"), (cy, '{"quotes": "<b>"}')):
            await self.say(speaker, text)
            texts.append(text)
            await self.expect_heard(texts, members, SAME)
        await self.binary_frame(texts, members)
        await self.other_channel(ada, texts, members)

    async def binary_frame(self, texts: list[str], members: list[Member]) -> None:
        """Send bytes that are no text: the members are still there, and so is the sender.

        The sender may be refused with the close code 1003, as the lesson's own chat does.
        """
        dee = await self.enter("Dee", self.apps[1])
        await self.say(dee, b"\xff")
        await until(lambda: dee.ended, 0.2)
        with contextlib.suppress(WebSocketClosedError):
            await self.say(dee, "still here?")
        ada = members[0]
        await until(lambda: dee.ended or "still here?" in ada.said, 1)
        assert dee.connection
        if dee.ended and dee.connection.close_code == UNSUPPORTED:
            await self.say(ada, "and here?")
            await until(lambda: "and here?" in ada.said, 1)
            if "still here?" in ada.said:  # it came before the socket was closed
                texts.append("still here?")
            texts.append("and here?")
        else:
            texts.append("still here?")
        await self.expect_heard(texts, members, BYTES)

    async def other_channel(self, ada: Member, texts: list[str], members: list[Member]) -> None:
        self.steps.append("a third process has another channel")
        self.start_process(self.front, f"other-{secrets.token_hex(8)}")
        eve = await self.enter("Eve", self.front)
        await self.ready(eve)
        # Redis keeps the order: who has heard the second text would have heard the first before.
        for speaker, text in ((eve, "in the other channel"), (ada, "in the first channel")):
            await self.say(speaker, text)
        texts.append("in the first channel")
        if not await until(lambda: bool(eve.said), 1) or eve.said != ["in the other channel"]:
            received = f"Eve has heard {eve.said}"
            raise self.mismatch(received, "Eve has heard ['in the other channel']", CHANNEL)
        await self.expect_heard(texts, members, CHANNEL)
