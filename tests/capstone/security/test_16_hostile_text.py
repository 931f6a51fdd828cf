"""What people write is shown as text, in pages and in JSON."""

import tornado.httpclient
import tornado.iostream
import tornado.testing
import tornado.web

from tests.capstone.chat_case import ChatCase, Person
from tests.capstone.conversations.test_conversations import HOSTILE, ConversationsCase
from tests.capstone.socket_case import SocketCase


class FormTest(ChatCase):
    @tornado.testing.gen_test
    async def test_hostile_names_come_back_as_text(self) -> None:
        hostile = '"><script>alert(1)</script>'
        response = await Person(self, hostile).register("' onfocus='alert(1)")
        page = response.body.decode()
        self.assertNotIn("<script>alert", page)
        self.assertNotIn("' onfocus='", page)
        self.assertIn("&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;", page)


class JsonTest(ConversationsCase):
    @tornado.testing.gen_test
    async def test_hostile_text_comes_back_as_data(self) -> None:
        anna = await self.person("anna", "<b onclick='x'>")
        line = await anna.connect()
        for text in HOSTILE:
            with self.subTest(text=text):
                conv = await anna.group(text, text)
                await self.write(line, conv, text)
                group = (await self.state(anna))[conv]
                self.assertEqual((group["title"], group["description"]), (text, text))
                event = (await self.events(anna, conv))[-1]
                self.assertEqual(
                    (event["text"], event["from"]["nickname"]), (text, "<b onclick='x'>")
                )
        page = (await anna.fetch("/")).body.decode()
        self.assertNotIn("<b onclick", page)


class FrameTest(SocketCase):
    @tornado.testing.gen_test
    async def test_hostile_text_travels_as_text(self) -> None:
        anna, bob = await self.anna.connect(), await self.bob.connect()
        for text in (
            "<script>alert(1)</script>",
            '"}]',
            "\u202eabc\u2028",
            "\x1b[31m",
            "'; DROP TABLE x",
        ):
            await anna.send(self.conv, text)
            self.assertEqual((await bob.receive("message"))["text"], text.strip())
