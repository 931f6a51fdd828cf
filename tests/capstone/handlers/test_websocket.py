"""The socket: what a client may say, what it hears, and how it is treated when it misbehaves."""

import asyncio
import contextlib
import json
import struct
import uuid
from collections.abc import Callable, Iterator
from typing import Any
from unittest import mock

import sqlalchemy as sa
import tornado.httpclient
import tornado.iostream
import tornado.testing

from capstone_chat.accounts.snapshots import Snapshot
from capstone_chat.conversations.users import PublicUser, User
from capstone_chat.handlers import websocket
from capstone_chat.handlers.websocket import ChatSocketHandler
from capstone_chat.realtime import topics
from capstone_chat.realtime.protocol import VERSION
from capstone_chat.storage.database import now_ms
from tests.capstone.chat_case import Line, held_up
from tests.capstone.socket_case import SocketCase
from tests.support.websocket_frames import client_frame, close_code


class FramesTest(SocketCase):
    @tornado.testing.gen_test
    async def test_hello_says_who_one_is_and_how_far_each_conversation_is(self) -> None:
        line = await self.bob.connect()
        self.assertEqual(
            line.hello,
            {
                "type": "hello",
                "version": VERSION,
                "user": {
                    "id": 2,
                    "nickname": "Bob",
                    "picture": None,
                    "name": "bob",
                    "language": "",
                    "theme": "",
                },
                "heads": {str(self.conv): 2},
                "online": [],
                "invitations": [],
                "at": line.hello["at"],
            },
        )

    @tornado.testing.gen_test
    async def test_a_message_is_acknowledged_and_reaches_every_member_and_nobody_else(self) -> None:
        """C277"""
        anna, tab = await self.anna.connect(), await self.anna.connect()
        bob, mallory = await self.bob.connect(), await self.mallory.connect()
        cid = await anna.send(self.conv, "  \nHello 🦆\n")
        ack = await anna.receive()
        at = ack.pop("at")
        self.assertEqual(ack, {"type": "ack", "cid": cid, "conv": self.conv, "seq": 3})
        self.assertGreater(at, 1_600_000_000_000)
        message = {
            "type": "message",
            "conv": self.conv,
            "seq": 3,
            "from": {"id": 1, "nickname": "Anna", "picture": None},
            "text": "Hello 🦆",
            "at": at,
        }
        for line in anna, tab, bob:
            self.assertEqual(await line.receive(), message)  # and no cid in it
        await self.quiet(mallory)
        self.assertEqual([event["type"] for event in mallory.seen], ["hello", "pong"])

    @tornado.testing.gen_test
    async def test_the_ack_comes_before_the_message_and_in_the_same_write(self) -> None:
        writes: list[tuple[int, bytes]] = []
        send = ChatSocketHandler.send

        def note(self: ChatSocketHandler, data: bytes) -> None:
            writes.append((self.user.id, data))
            send(self, data)

        anna, bob = await self.anna.connect(), await self.bob.connect()
        with mock.patch.object(ChatSocketHandler, "send", note):
            await anna.send(self.conv, "hi")
            await bob.receive("message")
            await anna.receive("message")
        to_anna = [data for user, data in writes if user == 1]
        self.assertEqual(len(to_anna), 1)
        self.assertEqual(len(writes), 2)
        ack, message = to_anna[0].index(b'"type":"ack"'), to_anna[0].index(b'"type":"message"')
        self.assertLess(ack, message)

    @tornado.testing.gen_test
    async def test_messages_of_one_commit_share_one_write_to_each_socket(self) -> None:
        anna, bob = await self.anna.connect(), await self.bob.connect()
        writes = 0
        send = ChatSocketHandler.send

        def count(self: ChatSocketHandler, data: bytes) -> None:
            nonlocal writes
            writes += self.user.id == 2
            send(self, data)

        texts = [f"message {n}" for n in range(60)]
        with mock.patch.object(ChatSocketHandler, "send", count):
            for text in texts:
                await anna.send(self.conv, text)
            received = [(await bob.receive("message"))["text"] for _ in texts]
        self.assertEqual(received, texts)
        self.assertLess(writes, 60)

    @tornado.testing.gen_test
    async def test_many_messages_at_once_are_acknowledged_in_their_order(self) -> None:
        # More than may wait for a commit: the socket is read no further, and goes on later.
        anna, bob = await self.anna.connect(), await self.bob.connect()
        cids = [await anna.send(self.conv, f"message {n}") for n in range(300)]
        acks = [await anna.receive("ack") for _ in cids]
        self.assertEqual([ack["cid"] for ack in acks], cids)
        self.assertEqual([ack["seq"] for ack in acks], list(range(3, 303)))
        texts = [(await bob.receive("message"))["text"] for _ in cids]
        self.assertEqual(texts, [f"message {n}" for n in range(300)])

    @tornado.testing.gen_test
    async def test_every_pong_carries_the_heads(self) -> None:
        anna, bob = await self.anna.connect(), await self.bob.connect()
        await bob.say(type="ping")
        pong = await bob.receive()
        self.assertEqual((pong["type"], pong["heads"]), ("pong", {str(self.conv): 2}))
        await anna.send(self.conv, "hi")
        await bob.receive("message")
        await bob.say(type="ping")
        self.assertEqual((await bob.receive())["heads"], {str(self.conv): 3})

    @tornado.testing.gen_test
    async def test_pings_of_many_connections_share_a_read(self) -> None:
        lines = [await self.anna.connect(), await self.bob.connect()]
        turns: list[Callable[[], object]] = []
        transactions: list[sa.Connection] = []
        with (
            mock.patch.object(websocket, "MIN_CONNECTIONS_TO_GATHER", 2),
            mock.patch.object(self.chat.gathered_pings, "add", turns.append),
        ):
            for line in lines:
                await line.say(type="ping")
            await self.until(lambda: len(turns) == 2)
            sa.event.listen(self.chat.database.engine, "begin", transactions.append)
            for turn in turns:
                turn()
            for line in lines:
                self.assertEqual((await line.receive("pong"))["heads"], {str(self.conv): 2})
        self.assertEqual(len(transactions), 1)

    @tornado.testing.gen_test
    async def test_hello_and_pong_tell_the_servers_time(self) -> None:
        before = now_ms()
        line = await self.bob.connect()
        await line.say(type="ping")
        pong = await line.receive("pong")
        told = [before, line.hello["at"], pong["at"], now_ms()]
        self.assertEqual(told, sorted(told))

    @tornado.testing.gen_test
    async def test_only_members_hear_who_is_typing(self) -> None:
        anna, bob, mallory = [
            await person.connect() for person in (self.anna, self.bob, self.mallory)
        ]
        await anna.say(type="typing", conv=self.conv)
        self.assertEqual(
            await bob.receive(),
            {
                "type": "typing",
                "conv": self.conv,
                "from": {"id": 1, "nickname": "Anna", "picture": None},
            },
        )
        for conv in self.conv, 999:
            await mallory.say(type="typing", conv=conv)
            self.assertEqual((await mallory.receive())["code"], "not_found")
        await self.quiet(bob, mallory)
        self.assertNotIn("typing", [event["type"] for event in mallory.seen])
        self.assertEqual([e["from"]["id"] for e in bob.seen if e["type"] == "typing"], [1])


class OnceTest(SocketCase):
    """A message that is sent again is stored once."""

    @tornado.testing.gen_test
    async def test_the_same_cid_again_gets_the_same_ack_and_nobody_hears_it_twice(self) -> None:
        anna, bob = await self.anna.connect(), await self.bob.connect()
        cid = await anna.send(self.conv, "hi")
        first = await anna.receive("ack")
        await anna.send(self.conv, "hi", cid)
        self.assertEqual(await anna.receive("ack"), first)
        await self.quiet(bob, anna)
        self.assertEqual([e["type"] for e in bob.seen].count("message"), 1)
        self.assertEqual([e["type"] for e in anna.seen].count("message"), 1)
        self.assertEqual([row.cid for row in await self.stored()], [cid])

    @tornado.testing.gen_test
    async def test_the_same_cid_racing_on_two_sockets_is_one_message(self) -> None:
        lines = [await self.anna.connect() for _ in range(4)]
        bob = await self.bob.connect()
        cid = str(uuid.uuid4())
        for line in lines:
            for _ in range(5):
                await line.send(self.conv, "hi", cid)
        acks = [await line.receive("ack") for line in lines for _ in range(5)]
        self.assertEqual([ack for ack in acks if ack != acks[0]], [])
        self.assertEqual(acks[0]["seq"], 3)
        await self.quiet(bob)
        self.assertEqual([e["type"] for e in bob.seen].count("message"), 1)
        self.assertEqual([row.seq for row in await self.stored()], [3])

    @tornado.testing.gen_test
    async def test_after_a_reconnect_the_message_gets_the_ack_that_was_lost(self) -> None:
        anna, bob = await self.anna.connect(), await self.bob.connect()
        cid = await anna.send(self.conv, "hi")
        await bob.receive("message")  # so it is stored
        anna.socket.close()
        again = await self.anna.connect()
        self.assertEqual(again.hello["heads"], {str(self.conv): 3})
        await again.send(self.conv, "hi", cid)
        ack = await again.receive("ack")
        self.assertEqual((ack["cid"], ack["seq"]), (cid, 3))
        await again.send(self.conv, "next")
        self.assertEqual((await again.receive("ack"))["seq"], 4)

    @tornado.testing.gen_test
    async def test_the_same_cid_for_another_message_is_a_conflict(self) -> None:
        other = await self.anna.group("Other")
        anna = await self.anna.connect()
        cid = await anna.send(self.conv, "hi")
        await anna.receive("ack")
        for conv, text in (self.conv, "hello"), (other, "hi"):
            await anna.send(conv, text, cid)
            error = await anna.receive("error")
            self.assertEqual((error["code"], error["cid"]), ("conflict", cid))
        self.assertEqual([row.text for row in await self.stored()], ["hi"])

    @tornado.testing.gen_test
    async def test_of_two_messages_with_one_cid_in_one_commit_the_first_wins(self) -> None:
        anna, bob = await self.anna.connect(), await self.bob.connect()
        async with held_up(self.chat.database):
            cid = await anna.send(self.conv, "one")
            await anna.send(self.conv, "one", cid)
            await anna.send(self.conv, "two", cid)
            await self.until(lambda: len(self.chat.database._pending) == 3)
        answers = [await anna.receive() for _ in range(4)]
        self.assertEqual([e["type"] for e in answers], ["ack", "ack", "error", "message"])
        self.assertEqual(answers[0], answers[1])
        self.assertEqual(answers[2]["code"], "conflict")
        self.assertEqual((await bob.receive("message"))["text"], "one")
        self.assertEqual([row.text for row in await self.stored()], ["one"])

    @tornado.testing.gen_test
    async def test_two_people_may_have_the_same_cid(self) -> None:
        anna, bob = await self.anna.connect(), await self.bob.connect()
        cid = await anna.send(self.conv, "from anna")
        await anna.receive("ack")
        await bob.send(self.conv, "from bob", cid)
        self.assertEqual((await bob.receive("ack"))["seq"], 4)

    @tornado.testing.gen_test
    async def test_an_empty_seq_is_never_left_by_what_was_refused(self) -> None:
        anna, mallory = await self.anna.connect(), await self.mallory.connect()
        for number in range(5):
            await mallory.send(self.conv, "let me in")
            await anna.send(self.conv, "" if number % 2 else f"m{number}")
        self.assertEqual([(await anna.receive("ack"))["seq"] for _ in range(3)], [3, 4, 5])
        for _ in range(5):
            await mallory.receive("error")
        self.assertEqual([row.seq for row in await self.stored()], [3, 4, 5])


class ErrorTest(SocketCase):
    @tornado.testing.gen_test
    async def test_what_is_wrong_with_a_message_is_said_with_its_cid(self) -> None:
        anna = await self.anna.connect()
        for text, code in (
            ("", "text_empty"),
            (" \n ", "text_empty"),
            ("x" * 4001, "text_too_long"),
            ("nul\0", "text_invalid"),
            ("half \ud83e", "text_invalid"),
        ):
            cid = await anna.send(self.conv, text)
            error = await anna.receive()
            self.assertEqual((error["type"], error["code"], error["cid"]), ("error", code, cid))
            self.assertTrue(error["message"])
        await anna.send(self.conv, "x" * 4000)
        await anna.receive("ack")


class GoneTest(SocketCase):
    """A client that goes away in the wrong moment is forgotten."""

    @tornado.testing.gen_test
    async def test_amid_the_handshake(self) -> None:
        called, go, over = self.hold(self.chat.sessions, "get")
        closed = asyncio.Event()
        on_close = ChatSocketHandler.on_close

        def note(handler: ChatSocketHandler) -> None:
            closed.set()
            on_close(handler)

        with (
            mock.patch.object(ChatSocketHandler, "on_close", note),
            self.assertNoLogs("tornado.application"),
            self.assertNoLogs("asyncio"),
        ):
            stream = await self.anna.open_stream()
            await called.wait()
            stream.close()
            await closed.wait()
            go.set()
            await over.wait()
            await self.quiet(await self.bob.connect())
        self.assertEqual(
            (self.chat.hub.subscriber_count(topics.user(1)), len(self.chat.hub)), (0, 1)
        )

    @tornado.testing.gen_test
    async def test_amid_a_handshake_that_is_refused(self) -> None:
        called, go, over = asyncio.Event(), asyncio.Event(), asyncio.Event()
        on_close, on_finish = ChatSocketHandler.on_close, ChatSocketHandler.on_finish

        async def fail(_token: str) -> None:
            called.set()
            await go.wait()
            raise sa.exc.OperationalError("SELECT", {}, OSError("the database has gone"))

        def let_go(handler: ChatSocketHandler) -> None:
            on_close(handler)
            go.set()

        def note(handler: ChatSocketHandler) -> None:
            on_finish(handler)
            over.set()

        with (
            mock.patch.object(self.chat.sessions, "get", fail),
            mock.patch.object(ChatSocketHandler, "on_close", let_go),
            mock.patch.object(ChatSocketHandler, "on_finish", note),
            self.assertNoLogs("tornado.application"),
            self.assertLogs("capstone_chat.handlers.base", "ERROR"),
        ):
            stream = await self.anna.open_stream()
            await called.wait()
            stream.close()
            await over.wait()

    @tornado.testing.gen_test
    async def test_amid_opening(self) -> None:
        called, go, over = self.hold(self.chat.snapshots, "read")
        with self.assertNoLogs("tornado.application"):
            stream = await self.anna.open_stream()
            await called.wait()
            stream.close()
            go.set()
            await over.wait()
            await self.until(lambda: len(self.chat.hub) == 0)
            await self.quiet(await self.bob.connect())
        self.assertEqual(self.chat.hub.subscriber_count(topics.conversation(self.conv)), 1)

    @tornado.testing.gen_test
    async def test_by_a_logout_amid_opening(self) -> None:
        token = await self.anna.token()
        called, go, _over = self.hold(self.chat.snapshots, "read")
        stream = await self.anna.open_stream()
        await called.wait()
        await self.anna.submit("/logout", {"_xsrf": token})
        go.set()
        await stream.read_until(b"\r\n\r\n")
        bob = await self.bob.connect()
        await bob.send(self.conv, "anna has gone")
        await bob.receive("ack")
        stream.write(client_frame(0x8, struct.pack("!H", 3500)))
        data = await stream.read_until_close()
        self.assertEqual(close_code(data), 3500)
        self.assertNotIn(b"anna has gone", data)

    @tornado.testing.gen_test
    async def test_with_messages_that_wait_for_their_commit(self) -> None:
        anna, bob = await self.anna.connect(), await self.bob.connect()
        for number in range(100):
            await anna.send(self.conv, f"m{number}")
        anna.socket.close()
        with self.assertNoLogs("tornado.application"):
            await self.until(lambda: len(self.chat.hub) == 1)
            await self.quiet(bob)
        texts = [row.text for row in await self.stored()]
        self.assertEqual(texts, [f"m{n}" for n in range(len(texts))])


class NothingMissedTest(SocketCase):
    @tornado.testing.gen_test
    async def test_what_comes_while_a_socket_opens_is_in_its_heads_or_delivered(self) -> None:
        bob = await self.bob.connect()
        said: list[int] = []

        def amid(ask: Callable[..., Any]) -> Callable[..., Any]:
            async def interrupted(user: User, *more: Any) -> Any:
                # Before the heads are read, and after: both are moments to write in.
                if user.id == 1:
                    await bob.send(self.conv, "before")
                    said.append((await bob.receive("ack"))["seq"])
                found = await ask(user, *more)
                if user.id == 1:
                    await bob.send(self.conv, "after")
                    said.append((await bob.receive("ack"))["seq"])
                return found

            return interrupted

        conversations, snapshots = self.chat.conversations, self.chat.snapshots
        with (
            mock.patch.object(snapshots, "read", amid(snapshots.read)),
            mock.patch.object(conversations, "heads", amid(conversations.heads)),
        ):
            anna = await self.anna.connect()
        await self.quiet(anna)
        head = anna.hello["heads"][str(self.conv)]
        heard = {event["seq"] for event in anna.seen if event["type"] == "message"}
        self.assertEqual(len(said), 4)
        self.assertEqual([seq for seq in said if seq > head and seq not in heard], [])

    @tornado.testing.gen_test
    async def test_a_group_joined_while_a_socket_opens_is_heard(self) -> None:
        other = await self.bob.group("Other")
        read = self.chat.snapshots.read

        async def interrupted(user: PublicUser, token: str) -> Snapshot | None:
            found = await read(user, token)
            if user.id == 1:
                await self.anna.join(other)
            return found

        with mock.patch.object(self.chat.snapshots, "read", interrupted):
            anna = await self.anna.connect()
        self.assertEqual(anna.hello["heads"], {str(self.conv): 2, str(other): 2})
        bob = await self.bob.connect()
        await bob.send(other, "hi")
        self.assertEqual((await anna.receive("message"))["text"], "hi")

    @tornado.testing.gen_test
    async def test_every_member_hears_all_in_one_order(self) -> None:
        lines = [await self.anna.connect(), await self.bob.connect(), await self.bob.connect()]

        async def write(line: Line) -> None:
            for number in range(40):
                await line.send(self.conv, f"m{number}")

        async def hear(line: Line) -> list[int]:
            return [(await line.receive("message"))["seq"] for _ in range(120)]

        *_, one, two, three = await asyncio.gather(*map(write, lines), *map(hear, lines))
        self.assertEqual(one, list(range(3, 123)))
        self.assertEqual((two, three), (one, one))

    @tornado.testing.gen_test
    async def test_a_server_that_stops_says_so(self) -> None:
        lines = [await self.anna.connect(), await self.bob.connect()]
        self.chat.hub.shutdown()
        self.assertEqual([await line.closed() for line in lines], [1001, 1001])

    @tornado.testing.gen_test
    async def test_a_stop_waits_for_the_clients_to_say_goodbye(self) -> None:
        with self.noted() as order:
            stream = await self.anna.open_stream()
            await self.until(lambda: len(self.chat.hub) == 1)
            closing = asyncio.ensure_future(self.chat.close())
            await stream.read_until(b"server is going away")
            frame = {"type": "send", "cid": str(uuid.uuid4()), "conv": self.conv, "text": "late"}
            await stream.write(client_frame(0x1, json.dumps(frame).encode()))
            await stream.write(client_frame(0x8, struct.pack("!H", 1001)))
            await closing
        self.assertEqual(order, ["the client has said goodbye", "the database is closed"])
        self.assertEqual(await stream.read_until_close(), b"")

    @tornado.testing.gen_test
    async def test_a_stop_waits_for_the_goodbye_of_one_who_was_just_coming(self) -> None:
        called, go, _over = self.hold(self.chat.sessions, "get")
        with self.noted() as order:
            stream = await self.anna.open_stream()
            await called.wait()
            closing = asyncio.ensure_future(self.chat.close())
            await asyncio.sleep(0)
            go.set()
            await stream.read_until(b"server is going away")
            for _ in range(100):  # turns of the loop in which the stop could go on too early
                await asyncio.sleep(0)
            await stream.write(client_frame(0x8, struct.pack("!H", 1001)))
            await closing
        self.assertEqual(order, ["the client has said goodbye", "the database is closed"])

    @contextlib.contextmanager
    def noted(self) -> Iterator[list[str]]:
        """Note in which order a stop lets go of a socket and of the database."""
        order = []
        on_close, close = ChatSocketHandler.on_close, self.chat.database.close

        def note(handler: ChatSocketHandler) -> None:
            order.append("the client has said goodbye")
            on_close(handler)

        async def note_too() -> None:
            order.append("the database is closed")
            await close()

        with (
            mock.patch.object(ChatSocketHandler, "on_close", note),
            mock.patch.object(self.chat.database, "close", note_too),
        ):
            yield order
