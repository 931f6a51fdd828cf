"""Lesson 09: one chat in two processes, without and with a broker."""

import asyncio
import os
import secrets
import subprocess
import sys
from pathlib import Path
from typing import Protocol

import pytest
import redis.asyncio
import tornado.httpserver
import tornado.web
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from tornado.testing import gen_test

from course.ports import free_port
from tests.lessons.websocket_case import WebSocketTestCase
from tests.support.lesson_case import import_script
from tests.support.script_server import serving
from tests.support.services import REDIS_URL

LESSON = "09_deployment"
FOLDER = Path(__file__).parents[2] / "lessons" / LESSON
alone, broker = import_script(LESSON, "alone"), import_script(LESSON, "broker")


def test_two_processes_have_two_sets() -> None:
    """C286"""
    with serving(FOLDER / "alone.py") as server:
        assert "Ada hears Hello from Ada\nBob hears nothing\n" in server.output
        assert server.stop() == 0
        # The second process holds the output open as long as it lives.
        assert server.rest() == ""


@pytest.mark.service("redis")
def test_a_broker_joins_two_processes() -> None:
    """C267"""
    with serving(FOLDER / "broker.py", f"--redis={REDIS_URL}") as server:
        assert "Ada hears Hello from Ada\nBob hears Hello from Ada\n" in server.output
        assert server.stop() == 0
        assert server.rest() == ""


def test_a_missing_broker_is_told_in_one_line() -> None:
    port = free_port(0)
    url = f"redis://127.0.0.1:{port}/0"
    command = [sys.executable, str(FOLDER / "broker.py"), f"--redis={url}", "--port=0"]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", timeout=60)
    assert done.returncode == 2
    [line] = done.stderr.splitlines()
    assert line.startswith(f"Redis does not answer at {url}")
    assert "sudo apt install redis-server" in line
    assert "docker run -p 6379:6379 redis" in line


class AloneTest(WebSocketTestCase):
    def get_app(self) -> tornado.web.Application:
        return alone.make_app(other=9999)

    @gen_test
    async def test_in_one_process_everybody_hears_everybody(self) -> None:
        """C267"""
        ada, bob = [await self.connect("/room") for _ in range(2)]
        await ada.write_message("Hello")
        self.assertEqual([await ada.read_message(), await bob.read_message()], ["Hello"] * 2)

    def test_the_page_leads_to_the_other_process(self) -> None:
        page = self.fetch("/").body.decode()
        self.assertIn(f"Process {os.getpid()}", page)
        self.assertIn('href="http://localhost:9999"', page)


class Room(Protocol):
    """What is used here of the script's class."""

    broker: redis.asyncio.Redis
    subscribed: asyncio.Event

    async def listen(self) -> None: ...


@pytest.mark.service("redis")
class BrokerTest(WebSocketTestCase):
    """Two rooms over one Redis, as two processes have them; the first is behind get_url()."""

    def get_app(self) -> tornado.web.Application:
        self.channel = f"test-{secrets.token_hex(8)}"
        self.tasks: list[asyncio.Task[None]] = []
        return tornado.web.Application()

    def room(self, path: str, channel: str) -> Room:
        name = f"{self.channel}{path.replace('/', '-')}"
        client = redis.asyncio.from_url(
            REDIS_URL,
            decode_responses=True,
            client_name=name,
            retry=Retry(NoBackoff(), 0),  # it tries nothing again by itself: listen() has to
        )
        room: Room = broker.Room(client, channel)
        self._app.add_handlers(".*", [(path, broker.MemberHandler, {"room": room})])
        self.tasks.append(asyncio.create_task(room.listen()))
        return room

    async def end(self, *rooms: Room) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        for room in rooms:
            await room.broker.aclose()

    @gen_test
    async def test_all_rooms_on_a_channel_hear_it_once_and_no_other(self) -> None:
        """C267"""
        here, there = self.room("/here", self.channel), self.room("/there", self.channel)
        other = self.room("/other", f"{self.channel}-other")
        for room in (here, there, other):
            await room.subscribed.wait()
        ada, bob, cy = [await self.connect(path) for path in ("/here", "/there", "/other")]
        for text in ("Hello", "你好"):
            await ada.write_message(text)
            self.assertEqual([await ada.read_message(), await bob.read_message()], [text] * 2)
        eve = await self.connect("/there")
        await eve.write_message(b"\xff", binary=True)
        self.assertIsNone(await eve.read_message())
        self.assertEqual(eve.close_code, 1003)
        await bob.write_message("still here?")
        self.assertEqual([await ada.read_message(), await bob.read_message()], ["still here?"] * 2)
        await cy.write_message("alone here")
        self.assertEqual(await cy.read_message(), "alone here")
        await self.end(here, there, other)

    @gen_test
    async def test_a_lost_connection_to_the_broker_is_made_again(self) -> None:
        """C267"""
        room = self.room("/here", self.channel)
        await room.subscribed.wait()
        ada = await self.connect("/here")
        mine = [
            client
            for client in await room.broker.client_list()
            if client["name"] == f"{self.channel}-here" and client["sub"] == "1"
        ]
        self.assertEqual(len(mine), 1)
        room.subscribed.clear()
        await room.broker.client_kill_filter(_id=mine[0]["id"])
        await room.subscribed.wait()
        await ada.write_message("Hello again")
        self.assertEqual(await ada.read_message(), "Hello again")
        await self.end(room)

    @gen_test
    async def test_who_speaks_is_told_that_the_broker_is_away(self) -> None:
        """C267: and the socket stays open."""
        port = free_port(0)
        room = broker.Room(redis.asyncio.from_url(f"redis://127.0.0.1:{port}/0"), self.channel)
        self._app.add_handlers(".*", [("/away", broker.MemberHandler, {"room": room})])
        ada = await self.connect("/away")
        for _ in range(2):
            await ada.write_message("Hello")
            self.assertIn("the broker is away", str(await ada.read_message()))
        await room.broker.aclose()
