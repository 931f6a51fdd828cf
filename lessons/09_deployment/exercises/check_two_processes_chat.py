"""Members of two processes hear each other, each of them once, whatever one of them sends.

Needs:  redis
"""

import os
import secrets
import sys
import time

import redis
import tornado.web

from course.exercise_case import Mismatch, Unusable
from course.program_case import ProgramCase
from course.socket_case import Socket, SocketCase

REDIS = os.environ.get("TEST_REDIS_URL", "redis://localhost:6379/0")
STUB = "main(): leave the options and the route as the stub has them"
SUBSCRIBE = (
    "main(): a task has to subscribe to options.channel at the broker, and to go on listening:\n"
    "async with broker.pubsub() as pubsub: await pubsub.subscribe(...); async for event in\n"
    "pubsub.listen(): ..."
)
PUBLISH = "on_message(): await broker.publish(options.channel, message)"
BYTES = (
    "on_message(): with decode_responses=True, bytes that are no text raise where you listen, and\n"
    "end it for all members: publish a str only"
)
ONCE = "on_message(): only publish; what is said comes back to this process too, from the broker"


class TwoProcessesChat(ProgramCase, SocketCase):
    def setUp(self) -> None:
        super().setUp()
        self.broker = redis.Redis.from_url(REDIS)
        self.addCleanup(self.broker.close)
        try:
            self.broker.ping()
        except redis.ConnectionError:
            raise Unusable(
                f"This check needs Redis, which does not answer at {REDIS}. Debian, Ubuntu: sudo "
                "apt install redis-server; or docker run -p 6379:6379 redis. Elsewhere: set "
                "TEST_REDIS_URL. Your file may be right: without it nobody can tell."
            ) from None
        self.channel = f"check-{secrets.token_hex(8)}"
        arguments = [f"--redis={REDIS}", f"--channel={self.channel}"]
        for port in self.apps:
            command = [sys.executable, str(self.subject.__file__), f"--port={port}", *arguments]
            self.start(command, port, said=f"python3 FILE --port={port}", look=STUB)

    def get_app(self) -> tornado.web.Application:
        return tornado.web.Application()  # nobody asks it: two processes are started

    def enter(self, name: str, port: int) -> Socket:
        self.front = port
        return self.connect("/chat", name=name, look=STUB)

    def subscribed(self) -> None:
        """Wait until both processes have subscribed: before that, what is said is lost."""
        limit = time.monotonic() + 5
        while (count := self.broker.pubsub_numsub(self.channel)[0][1]) < 2:
            if time.monotonic() > limit:
                raise Mismatch(
                    sent="two processes are started",
                    came=f"{count} of them subscribed to the channel within 5 seconds",
                    expected="both",
                    look=SUBSCRIBE,
                )
            time.sleep(0.05)

    def test_members_of_both_processes_hear_each_other(self) -> None:
        self.subscribed()
        members = ada, bob, cy = [
            self.enter(name, port)
            for name, port in zip(("Ada", "Bob", "Cy"), [*self.apps, self.apps[0]], strict=True)
        ]
        for speaker, text in ((ada, "Hello"), (bob, "你好"), (cy, '{"quotes": "<b>"}')):
            speaker.send(text)
            for member in members:
                member.expect(text, look=f"{PUBLISH}\n{ONCE}")
        dee = self.enter("Dee", self.apps[1])
        dee.send(b"\xff")
        dee.close()
        ada.send("still here?")
        for member in members:
            member.expect("still here?", look=BYTES)
