"""Who sends too much or opens too many sockets is told so."""

import tornado.httpclient
import tornado.iostream
import tornado.testing

from capstone_chat.realtime import topics
from tests.capstone.socket_case import SocketCase


class TooManyTest(SocketCase):
    options = {"sockets_per_user": 3, "send_burst": 5, "send_rate": 0.001}  # noqa: RUF012

    @tornado.testing.gen_test
    async def test_a_user_has_so_many_sockets_and_no_more(self) -> None:
        lines = [await self.anna.connect() for _ in range(3)]
        surplus = await self.anna.open_socket()
        self.assertEqual(await surplus.closed(), 3502)
        await self.bob.connect()
        await self.quiet(*lines)
        lines[0].socket.close()
        await self.until(lambda: self.chat.hub.subscriber_count(topics.user(1)) == 2)
        await self.anna.connect()

    @tornado.testing.gen_test
    async def test_who_writes_too_fast_is_told_so_and_may_send_again_later(self) -> None:
        anna, tab, bob = [await person.connect() for person in (self.anna, self.anna, self.bob)]
        for number in range(5):
            await anna.send(self.conv, f"m{number}")
            await anna.receive("ack")
        # Another tab is the same person.
        cid = await tab.send(self.conv, "one too many")
        error = await tab.receive("error")
        self.assertEqual((error["code"], error["cid"]), ("rate_limited", cid))
        await bob.send(self.conv, "bob may")
        await bob.receive("ack")
        self.chat.message_limiter._buckets.clear()  # time passes
        await tab.send(self.conv, "one too many", cid)
        self.assertEqual((await tab.receive("ack"))["seq"], 9)


class AddressTest(SocketCase):
    options = {"sockets_per_address": 3}  # noqa: RUF012

    @tornado.testing.gen_test
    async def test_an_address_has_so_many_sockets_and_no_more(self) -> None:
        lines = [await person.connect() for person in (self.anna, self.bob, self.anna)]
        self.assertEqual(await (await self.mallory.open_socket()).closed(), 3502)
        await self.quiet(*lines)
        lines[0].socket.close()
        await self.until(lambda: len(self.chat.hub) == 2)
        await self.mallory.connect()


class SignalTest(SocketCase):
    options = {"signal_burst": 5, "signal_rate": 0.001}  # noqa: RUF012

    @tornado.testing.gen_test
    async def test_typing_pings_and_read_marks_have_a_limit_of_their_own(self) -> None:
        line = await self.anna.connect()
        for _ in range(8):
            await line.say(type="ping")
        answers = [await line.receive() for _ in range(8)]
        codes = [answer.get("code", "pong") for answer in answers]
        self.assertEqual(sorted(codes), ["pong"] * 5 + ["rate_limited"] * 3)
        await line.send(self.conv, "messages go on")
        await line.receive("ack")
