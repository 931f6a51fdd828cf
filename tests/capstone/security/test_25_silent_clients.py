"""A client that stops answering pings is gone soon after."""

import asyncio

import tornado.testing

from tests.capstone.chat_case import ChatCase


class SilentTest(ChatCase):
    INTERVAL, TIMEOUT, SLACK = 0.2, 0.1, 10.0
    options = {"ping_interval": INTERVAL, "ping_timeout": TIMEOUT}  # noqa: RUF012

    @tornado.testing.gen_test
    async def test_who_answers_no_ping_is_gone_and_who_does_stays(self) -> None:
        anna, bob = await self.person("anna"), await self.person("bob")
        line = await bob.connect()
        silent = await anna.open_stream()  # bare bytes: nothing answers
        # After the ping and its time-out Tornado waits 5 s for an answer to its close frame.
        async with asyncio.timeout(self.INTERVAL + self.TIMEOUT + 5 + self.SLACK):
            await silent.read_until(b"ping timed out")
            await silent.read_until_close()
            await self.until(lambda: len(self.chat.hub) == 1)
        self.assertNotIn(anna.id, self.chat.hub.presence.here)
        await line.heard()
