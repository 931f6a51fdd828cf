"""Two processes of one chat, as far as one test can be two.

Each has an app, a hub, a broker and a port of its own, on one database and one Redis.
"""

import dataclasses
import socket
import subprocess
from typing import ClassVar

import redis
import redis.exceptions
import tornado.testing
import tornado.web

from capstone_chat.app import make_app
from capstone_chat.options import Options
from capstone_chat.server import Server
from capstone_chat.services import Services
from tests.capstone import databases
from tests.capstone.chat_case import ChatCase, Person
from tests.support.services import require


class SecondNode:
    """The second process: people can use it, see `RunningChat`."""

    def __init__(self, case: "TwoNodesCase", app: tornado.web.Application) -> None:
        self.case = case
        self.app = app
        self.chat: Services = app.settings["chat"]
        self.http_client = case.http_client
        self.opened = case.opened
        listening, self.port = tornado.testing.bind_unused_port()
        self.server = Server(app)
        self.server.add_socket(listening)

    def get_url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def get_http_port(self) -> int:
        return self.port

    def answer(self, challenge: str) -> str:
        return self.case.answer(challenge)

    def visit(self, person: Person) -> Person:
        """Return the same browser, which a proxy sends to this process."""
        there = Person(self, person.name)
        there.id, there.cookies = person.id, person.cookies
        return there

    async def close(self) -> None:
        self.server.stop()
        await self.chat.close()
        await self.server.close_all_connections()


class TwoNodesCase(ChatCase):
    """A chat of two processes: `self` is the first and `self.second` the other one."""

    server: ClassVar[str] = ""
    """The database server; by default the one that the tests run on."""
    joined: ClassVar[bool] = True
    """Whether Redis joins them."""

    def redis_url(self) -> str:
        return require("redis")

    def make_options(self) -> Options:
        made = super().make_options()
        url = databases.empty(self.server) if self.server else made.database
        redis_url = self.redis_url() if self.joined else ""
        self.own = dataclasses.replace(made, database=url, redis=redis_url)
        return self.own

    async def gather(self) -> None:
        """Begin with a group of anna's that bob is in; both can visit both processes."""
        await self.chat.open()
        app = make_app(self.own)
        await app.settings["chat"].open()
        self.second = SecondNode(self, app)
        self.anna = await self.person("anna", "Anna")
        self.bob = await self.person("bob", "Bob")
        self.conv = await self.anna.group()
        await self.bob.join(self.conv)
        self.bob_there = self.second.visit(self.bob)
        self.anna_there = self.second.visit(self.anna)

    def tearDown(self) -> None:
        for each in self.opened:
            each.close()
        self.io_loop.run_sync(self.second.close)
        super().tearDown()


class RedisServer:
    """A Redis of a test's own, that it may kill."""

    def __init__(self) -> None:
        self.password = ""
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.start()

    def start(self) -> None:
        """Start it and wait until it answers."""
        options = (
            *("--bind", "127.0.0.1", "--port", str(self.port), "--requirepass", self.password),
            *("--save", "", "--appendonly", "no"),
        )
        self.process = subprocess.Popen(
            [require("redis-server"), *options], stdout=subprocess.DEVNULL
        )
        client = redis.Redis(port=self.port, password=self.password or None)
        while True:
            try:
                client.ping()
                break
            except redis.exceptions.ConnectionError:
                assert self.process.poll() is None
        client.close()

    def kill(self) -> None:
        """Kill it: all connections break."""
        self.process.kill()
        self.process.wait()
