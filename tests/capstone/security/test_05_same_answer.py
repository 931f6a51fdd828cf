"""An unknown user and a wrong password get the same answer after the same work."""

import re
from unittest import mock

import tornado.httpclient
import tornado.testing
import tornado.web

from capstone_chat.accounts import passwords
from tests.capstone.chat_case import ChatCase, Person
from tests.capstone.form_pages import Response, errors, fields


class SameAnswerTest(ChatCase):
    async def gather(self) -> None:
        await self.person("anna")

    @tornado.testing.gen_test
    async def test_unknown_user_and_wrong_password_get_the_same_answer(self) -> None:
        wrong = await Person(self, "anna").login(password="wrong password")
        unknown = await Person(self, "nobody").login()
        self.assertEqual((wrong.code, unknown.code), (400, 400))

        def shape(response: Response) -> str:
            page = response.body.decode().replace('value="nobody"', 'value="anna"')
            own = "|".join(re.escape(fields(response)[name]) for name in ("_xsrf", "captcha_id"))
            return re.sub(own, "", page)

        self.assertEqual(shape(wrong), shape(unknown))
        self.assertIn("The user name or the password is wrong.", wrong.body.decode())
        self.assertEqual(errors(wrong), {})  # it is not said which field

    @tornado.testing.gen_test
    async def test_an_unknown_user_costs_a_hash_as_a_known_one_does(self) -> None:
        checked = []
        verify = self.chat.accounts._passwords.verify

        async def count(stored: str | None, password: str) -> bool:
            checked.append(stored)
            return await verify(stored, password)

        self.enterContext(mock.patch.object(self.chat.accounts._passwords, "verify", count))
        await Person(self, "anna").login(password="wrong password")
        await Person(self, "nobody").login()
        self.assertEqual(len(checked), 2)

    def test_the_hash_of_nobody_is_as_dear_as_a_real_one(self) -> None:
        nobody, real = passwords._dummy_hash(), passwords._hasher.hash("x")
        self.assertEqual(nobody.split("$")[:4], real.split("$")[:4])  # kind, version, parameters
