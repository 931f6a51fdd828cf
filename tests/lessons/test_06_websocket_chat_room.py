"""Lesson 06: a room that goes on if a member is lost, and a chat of many rooms (C223, C225)."""

import asyncio
import gc
import json
import socket
from typing import Any

import pytest
import tornado.web
from tornado.iostream import IOStream
from tornado.testing import ExpectLog, gen_test
from tornado.websocket import WebSocketClientConnection, WebSocketHandler

from tests.lessons.websocket_case import WebSocketTestCase
from tests.support.lesson_case import import_script
from tests.support.script_server import serving

room = import_script("06_websocket_chat", "room")
chat = import_script("06_websocket_chat", "chat")
pair = import_script("06_websocket_chat", "pair")
TALKING = ["messages", "origin", "pair", "ping", "room", "slow_reader"]  # scripts with clients


class PairTest(WebSocketTestCase):
    def get_app(self) -> tornado.web.Application:
        app = pair.make_app()
        self.people = app.wildcard_router.rules[-1].target_kwargs["people"]
        return app

    @gen_test
    async def test_each_hears_what_the_other_one_says(self) -> None:
        """C216, C218"""
        ada, bob = await self.connect("/pair"), await self.connect("/pair")
        for message in ("Hello, Bob", b"\xff\x00"):
            await ada.write_message(message, binary=isinstance(message, bytes))
            self.assertEqual(await bob.read_message(), message)
        await bob.write_message("Hello, Ada")
        self.assertEqual(await ada.read_message(), "Hello, Ada")

    @gen_test
    async def test_who_has_left_is_forgotten(self) -> None:
        """C217: on_close() takes the handler out of the set."""
        ada, _ = await self.connect("/pair"), await self.connect("/pair")
        self.assertEqual(len(self.people), 2)
        ada.close()
        self.assertIsNone(await ada.read_message())
        self.assertEqual(len(self.people), 1)


@pytest.mark.parametrize("name", TALKING)
def test_a_script_closes_its_clients(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """C219: Python's development mode reports a client that was not closed."""
    monkeypatch.setenv("PYTHONDEVMODE", "1")
    with serving(pair.HERE / f"{name}.py", new_python=True) as server:
        server.stop()
        assert "ResourceWarning" not in server.log


class RoomTest(WebSocketTestCase):
    def get_app(self) -> tornado.web.Application:
        app = room.make_app()
        self.room = app.wildcard_router.rules[-1].target_kwargs["room"]
        return app

    async def enter(self, *names: str) -> list[WebSocketClientConnection]:
        return [await self.connect(f"/room?{name}") for name in names]

    @gen_test
    async def test_everybody_hears_what_one_says(self) -> None:
        """C223"""
        members = await self.enter("Ada", "Bob", "Cy")
        await members[0].write_message("Hello")
        for member in members:
            self.assertEqual(await member.read_message(), "Hello")

    @gen_test
    async def test_a_member_whom_the_server_has_closed_disturbs_nobody(self) -> None:
        """C223"""
        dead = await self.peer("/room")  # never answers the close frame
        for member in self.room.members:
            member.close()
        ada, bob = await self.enter("Ada", "Bob")
        for text in ("Hello", "still here?"):
            await ada.write_message(text)
            self.assertEqual(await ada.read_message(), text)
            self.assertEqual(await bob.read_message(), text)
        self.assertEqual(len(self.room.members), 2)
        self.assertFalse(dead.closed())

    @gen_test
    async def test_a_member_who_leaves_is_forgotten_at_once(self) -> None:
        """C217, C223"""
        ada, _ = await self.enter("Ada", "Bob")
        ada.close()
        self.assertIsNone(await ada.read_message())
        self.assertEqual(len(self.room.members), 1)

    @gen_test
    async def test_a_member_who_vanishes_is_forgotten(self) -> None:
        """C217, C223"""
        [ada] = await self.enter("Ada")
        (await self.peer("/room")).close()
        await ada.write_message("Hello")
        self.assertEqual(await ada.read_message(), "Hello")
        self.assertEqual(len(self.room.members), 1)

    @gen_test
    async def test_bytes_close_the_one_who_sent_them(self) -> None:
        """C219, C223"""
        ada, bob = await self.enter("Ada", "Bob")
        await ada.write_message(b"\x00", binary=True)
        self.assertIsNone(await ada.read_message())
        self.assertEqual((ada.close_code, ada.close_reason), (1003, "text only"))
        await bob.write_message("Hello")
        self.assertEqual(await bob.read_message(), "Hello")

    def test_each_application_has_a_room_of_its_own(self) -> None:
        """C223"""
        rooms = [
            app.wildcard_router.rules[-1].target_kwargs["room"]
            for app in (room.make_app(), room.make_app())
        ]
        self.assertIsNot(rooms[0].members, rooms[1].members)


def test_the_script_shows_that_bob_is_heard_though_ada_is_dead() -> None:
    """C223"""
    with serving(room.HERE / "room.py") as server:
        assert server.output.splitlines()[:-1] == [
            "Ada hears closed: 1003 text only",
            "Bob hears 'Hello', 'Bye'",
        ]


class NotesHandler(WebSocketHandler):
    """The chat as the tutorials have it."""

    def open(self) -> None:
        self.settings["users"].add(self)

    def on_message(self, message: str | bytes) -> None:
        for user in self.settings["users"]:
            user.write_message(message)


class NotesTest(WebSocketTestCase):
    def get_app(self) -> tornado.web.Application:
        self.users: set[NotesHandler] = set()
        return tornado.web.Application([("/", NotesHandler)], users=self.users)

    @gen_test
    async def test_without_care_one_closed_peer_disconnects_the_innocent_sender(self) -> None:
        """C223"""
        await self.peer("/")
        for user in self.users:
            user.close()
        sender = await self.connect("/")
        with ExpectLog("tornado.application", "Uncaught exception"):
            await sender.write_message("Hello")
            heard = [await sender.read_message()]
            if heard != [None]:  # the sender may come first in the set
                heard.append(await sender.read_message())
        self.assertIsNone(heard[-1])


class ChatTest(WebSocketTestCase):
    def get_app(self) -> tornado.web.Application:
        app = chat.make_app()
        self.rooms = app.settings["rooms"]
        return app

    async def enter(self, name: str, where: str = "tea") -> WebSocketClientConnection:
        return await self.connect(f"/socket/{where}?name={name}")

    async def heard(self, member: WebSocketClientConnection) -> dict[str, Any]:
        frame = await member.read_message()
        assert isinstance(frame, str), (member.close_code, member.close_reason)
        event: dict[str, Any] = json.loads(frame)
        return event

    async def say(self, member: WebSocketClientConnection, text: str) -> None:
        await member.write_message({"type": "say", "text": text})

    @gen_test
    async def test_who_comes_speaks_and_leaves_is_told(self) -> None:
        """C223: a chat with two people, as a test."""
        ada, bob = await self.enter("Ada"), await self.enter("Bob")
        for members in (["Ada"], ["Ada", "Bob"]):
            frame = await self.heard(ada)
            self.assertEqual(frame, {"type": "joined", "name": members[-1], "members": members})
        await self.heard(bob)
        await self.say(ada, "Tea?")
        for member in (ada, bob):
            self.assertEqual(
                await self.heard(member), {"type": "message", "from": "Ada", "text": "Tea?"}
            )
        ada.close()
        self.assertEqual(await self.heard(bob), {"type": "left", "name": "Ada", "members": ["Bob"]})

    @gen_test
    async def test_rooms_hear_nothing_of_each_other(self) -> None:
        """C223"""
        ada, bob = await self.enter("Ada", "tea"), await self.enter("Bob", "coffee")
        await self.heard(ada)
        self.assertEqual((await self.heard(bob))["members"], ["Bob"])
        await self.say(ada, "tea only")
        await self.heard(ada)
        await self.say(bob, "coffee only")
        self.assertEqual((await self.heard(bob))["text"], "coffee only")

    @gen_test
    async def test_a_room_is_forgotten_with_its_last_member(self) -> None:
        """C223"""
        ada = await self.enter("Ada")
        self.assertEqual(list(self.rooms), ["tea"])
        ada.close()
        while await ada.read_message() is not None:
            pass
        self.assertEqual(self.rooms, {})

    @gen_test
    async def test_a_late_end_does_not_take_away_the_room_of_those_who_came_after(self) -> None:
        """C223: somebody is out of a room before the connection has ended."""
        ada = await self.enter("Ada")
        await self.heard(ada)
        first = self.rooms["tea"]
        [member] = first.members
        first.members.clear()  # as when a member reads too slowly
        del self.rooms["tea"]
        bob = await self.enter("Bob")
        await self.heard(bob)
        ada.close()
        while await ada.read_message() is not None:
            pass
        self.assertIsNot(self.rooms["tea"], first)
        self.assertIs(member.room, first)
        cy = await self.enter("Cy")
        self.assertEqual((await self.heard(cy))["members"], ["Bob", "Cy"])

    @gen_test
    async def test_bad_frames_are_answered_and_hurt_nobody(self) -> None:
        """C223"""
        ada, bob = await self.enter("Ada"), await self.enter("Bob")
        for member, count in ((ada, 2), (bob, 1)):
            for _ in range(count):
                await self.heard(member)
        for frame in (
            "{",
            "[]",
            "null",
            "[" * 10_000,
            '{"type": "say"}',
            '{"type": "say", "text": 7}',
            '{"type": "say", "text": " "}',
            json.dumps({"type": "say", "text": "x" * 501}),
            '{"type": "shout", "text": "x"}',
            b"\xff",
        ):
            with self.subTest(frame=frame[:40]):
                await ada.write_message(frame, binary=isinstance(frame, bytes))
                self.assertEqual((await self.heard(ada))["type"], "error")
        await self.say(ada, "x" * 500)
        self.assertEqual((await self.heard(bob))["type"], "message")

    @gen_test
    async def test_markup_is_relayed_as_it_is(self) -> None:
        """C225: escaping is the page's part, with textContent."""
        ada = await self.enter("Ada")
        await self.heard(ada)
        await self.say(ada, "<img src=x onerror=alert(1)>")
        self.assertEqual((await self.heard(ada))["text"], "<img src=x onerror=alert(1)>")

    @gen_test
    async def test_a_frame_over_16_kib_closes_with_1009(self) -> None:
        """C228"""
        ada = await self.enter("Ada")
        await self.heard(ada)
        await ada.write_message("x" * (16 * 1024 + 1))
        self.assertIsNone(await ada.read_message())

    @gen_test
    async def test_names_and_rooms_are_checked(self) -> None:
        """C215"""
        for path in ("tea", "tea?name=", "tea?name=%20", f"tea?name={'x' * 21}"):
            self.assertEqual(await self.status(f"/socket/{path}"), 400)
        for path in ("Tea?name=Ada", f"{'x' * 31}?name=Ada", "a/b?name=Ada"):
            self.assertEqual(await self.status(f"/socket/{path}"), 404)

    async def enter_slowly(self) -> tuple[IOStream, Any]:
        """Let one enter who reads nothing, over a line that holds little; return both its ends."""
        peer = await self.peer("/socket/tea?name=Slow")
        [member] = self.rooms["tea"].members
        member.stream.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        return peer, member

    @gen_test
    async def test_what_waits_for_a_slow_reader_is_bounded(self) -> None:
        """C223: beyond the bound it is out of the room, and the others go on."""
        await self.enter_slowly()
        ada = await self.enter("Ada")
        await self.heard(ada)
        said = 0
        while len(self.rooms["tea"].members) == 2:
            self.assertLess(said, 5_000_000, "nothing bounds what waits")
            await self.say(ada, "x" * 500)
            await self.heard(ada)
            said += 500
        self.assertGreater(said, chat.MAX_UNSENT)
        await self.say(ada, "on we go")
        self.assertEqual((await self.heard(ada))["text"], "on we go")

    @gen_test
    async def test_a_slow_reader_is_told_why_though_nothing_more_may_wait(self) -> None:
        """C219, C223"""
        slow, member = await self.enter_slowly()
        ada = await self.enter("Ada")
        await self.heard(ada)
        member.stream.max_write_buffer_size = 10  # as if it were full
        await self.say(ada, "Hello")
        self.assertEqual((await self.heard(ada))["text"], "Hello")
        ending = (4008).to_bytes(2, "big") + b"reading too slowly"
        await slow.read_until(b"\x88" + bytes([len(ending)]) + ending)

    @gen_test
    async def test_what_a_lost_member_missed_is_no_error(self) -> None:
        """C218, C223"""
        reported: list[str] = []
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda loop, context: reported.append(context["message"]))
        slow, member = await self.enter_slowly()
        ada = await self.enter("Ada")
        await self.heard(ada)
        while not member.stream.writing():
            await self.say(ada, "x" * 500)
            await self.heard(ada)
        slow.close()
        while (await self.heard(ada))["type"] != "left":
            await self.say(ada, "still here?")
        await self.say(ada, "done")
        await self.heard(ada)
        gc.collect()
        self.assertEqual(reported, [])

    def test_the_pages(self) -> None:
        """C222, C225"""
        self.assertIn(b"Nobody is here yet", self.fetch("/").body)
        page = self.fetch("/room?room=tea&name=%3Cb%3E").body.decode()
        self.assertIn('data-path="/socket/tea?name=%3Cb%3E"', page)
        self.assertIn('data-name="&lt;b&gt;"', page)
        for query in ("", "?room=Tea&name=Ada", f"?room=tea&name={'x' * 21}", "?room=tea"):
            self.assertEqual(self.fetch(f"/room{query}").code, 400)

    @gen_test
    async def test_the_first_page_tells_who_is_where(self) -> None:
        """C223"""
        await self.heard(await self.enter("Ada"))
        response = await self.http_client.fetch(self.get_url("/"))
        self.assertIn(b"<strong>tea</strong>: Ada", response.body)
