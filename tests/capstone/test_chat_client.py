"""The client that PROTOCOL.md shows receives every event and loses no message."""

import asyncio
import json
import unittest
from typing import Any
from unittest import mock

import tornado.testing
from tornado.httpclient import HTTPResponse

from tests.capstone.chat_case import ChatCase
from tests.support import chat_client
from tests.support.api_session import ApiSession
from tests.support.chat_client import ResumingClient

CONV = 7


def message(seq: int, text: str = "") -> dict[str, Any]:
    return {"type": "message", "conv": CONV, "seq": seq, "from": {"id": 1}, "text": text}


class History(ApiSession):
    """A session for which the chat has stored some events; `asked` are the requested paths."""

    def __init__(self, head: int) -> None:
        super().__init__("http://chat.example")
        self.head = head
        self.asked: list[str] = []

    async def fetch(self, path: str, **_options: Any) -> HTTPResponse:
        self.asked.append(path)
        after = int(path.rpartition("=")[2])
        events = [message(seq) for seq in range(after + 1, min(after + 2, self.head) + 1)]
        body = json.dumps({"events": events}).encode()
        return mock.Mock(spec=HTTPResponse, body=body)


class Recorder(ResumingClient):
    """A client that records frames instead of sending them."""

    def __init__(self, session: ApiSession) -> None:
        super().__init__(session, CONV, ping_interval=0.001)
        self.frames: list[dict[str, Any]] = []

    def _send(self, **frame: Any) -> None:
        self.frames.append(frame)


class ResumingClientTest(unittest.IsolatedAsyncioTestCase):
    async def test_the_hello_has_it_fetch_page_after_page_up_to_the_head(self) -> None:
        client = Recorder(History(5))
        await client.handle({"type": "hello", "heads": {str(CONV): 5, "8": 100}})
        self.assertEqual((sorted(client.events), client.last_seq), ([1, 2, 3, 4, 5], 5))
        self.assertEqual(client.fetched, 5)
        self.assertTrue(client.synced.is_set())

    async def test_a_gap_is_fetched_and_an_event_that_comes_twice_is_dropped(self) -> None:
        client = Recorder(history := History(3))
        await client.handle(message(1, "first"))
        await client.handle(message(2, "second"))
        self.assertEqual(history.asked, [])
        await client.handle(message(4, "fourth"))
        self.assertEqual(history.asked, [f"/api/conversations/{CONV}/events?after=2"])
        await client.handle(message(1, "something else"))
        self.assertEqual(client.last_seq, 4)
        self.assertEqual(client.events[1]["text"], "first")

    async def test_a_read_mark_is_no_event_of_the_log(self) -> None:
        client = Recorder(History(0))
        await client.handle({"type": "read", "conv": CONV, "seq": 1, "user": 2})
        self.assertEqual(client.events, {})

    async def test_messages_are_sent_again_after_a_hello_until_they_are_acknowledged(self) -> None:
        client = Recorder(History(0))
        first, second = await client.send("one"), await client.send("two")
        await client.handle({"type": "ack", "cid": first, "conv": CONV, "seq": 1})
        client.frames.clear()
        await client.handle({"type": "hello", "heads": {}})
        self.assertEqual([frame["cid"] for frame in client.frames], [second])
        self.assertEqual((client.acks, client.pending), ({first: 1}, {second: "two"}))

    async def test_only_what_may_be_accepted_later_is_sent_again_after_an_error(self) -> None:
        client = Recorder(History(0))
        later, never = await client.send("one"), await client.send("")
        await client.handle({"type": "error", "code": "unavailable", "cid": later})
        await client.handle({"type": "error", "code": "text_empty", "cid": never})
        client.frames.clear()
        heartbeat = asyncio.ensure_future(client._heartbeat())
        while len(client.frames) < 3:  # noqa: ASYNC110 - a ping, the message, and the next ping
            await asyncio.sleep(0)
        heartbeat.cancel()
        self.assertEqual([frame.get("cid") for frame in client.frames[:3]], [None, later, None])
        self.assertEqual(client.pending, {later: "one"})

    async def test_a_message_waits_while_too_many_are_in_flight(self) -> None:
        client = Recorder(History(0))
        cids = [await client.send(str(n)) for n in range(chat_client.MAX_IN_FLIGHT)]
        waiting = asyncio.ensure_future(client.send("one more"))
        for _ in range(10):
            await asyncio.sleep(0)
        self.assertFalse(waiting.done())
        await client.handle({"type": "ack", "cid": cids[0], "conv": CONV, "seq": 1})
        self.assertIn(await waiting, client.pending)


class ReconnectTest(unittest.IsolatedAsyncioTestCase):
    async def test_the_waits_grow_up_to_a_limit_until_a_hello(self) -> None:
        client = Recorder(History(0))
        waits: list[float] = []

        def record(_low: float, high: float) -> float:
            waits.append(high)
            return 0.0

        client.rng = mock.Mock(uniform=record)

        async def fail() -> None:
            if len(waits) == 7:
                await client.handle({"type": "hello", "heads": {}})
            if len(waits) == 9:
                client.stop()
            raise ConnectionRefusedError

        with mock.patch.object(client, "run_connection", fail):
            await client.run()
        self.assertEqual(waits[:9], [0.05, 0.1, 0.2, 0.4, 0.8, 1.0, 1.0, 0.05, 0.1])


class ConnectionTest(ChatCase):
    @tornado.testing.gen_test
    async def test_it_comes_back_after_a_close_but_not_when_its_session_has_ended(self) -> None:
        anna, bob = await self.person("anna"), await self.person("bob")
        conv = await anna.group()
        await bob.join(conv)
        client = ResumingClient(bob, conv)
        running = asyncio.ensure_future(client.run())
        await client.synced.wait()
        assert client._socket is not None
        client._socket.socket.close()
        line = await anna.connect()
        for number in range(3):
            await line.send(conv, f"message {number}")
            await line.receive("ack")
        await self.until(lambda: client.last_seq == 5)
        self.assertEqual([client.events[seq].get("text") for seq in (3, 4, 5)][-1], "message 2")
        await bob.log_out()
        await running
        self.assertEqual((client.rejected, client.closes[-1]), (True, 3500))

    @tornado.testing.gen_test
    async def test_a_refused_handshake_is_tried_again(self) -> None:
        anna = await self.person("anna")
        conv = await anna.group()
        cookies, anna.cookies = anna.cookies, {}
        client = ResumingClient(anna, conv)
        running = asyncio.ensure_future(client.run())
        await self.until(lambda: len(client.refused) > 1)
        self.assertEqual(set(client.refused), {401})
        anna.cookies = cookies
        await client.synced.wait()
        client.stop()
        await running
        self.assertEqual((client.closes, client.last_seq), ([], 1))
