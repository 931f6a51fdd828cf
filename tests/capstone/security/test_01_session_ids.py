"""A session id is new at each login, long, and stored as a hash."""

import tornado.httpclient
import tornado.testing
import tornado.web

from tests.capstone.chat_case import ChatCase, Person


class SessionIdTest(ChatCase):
    def setUp(self) -> None:
        super().setUp()
        self.io_loop.run_sync(lambda: self.person("anna"))
        self.session = self.cookie_name("session")

    @tornado.testing.gen_test
    async def test_the_session_id_is_new_and_a_planted_one_is_worth_nothing(self) -> None:
        mallory, anna = await self.person("mallory"), Person(self, "anna")
        planted = "planted-by-a-stranger"
        anna.cookies[self.session] = planted
        self.assertEqual((await anna.fetch("/")).code, 302)
        await anna.login()
        first = anna.cookies[self.session]
        self.assertNotEqual(first, planted)
        again = Person(self, "anna")
        await again.login()
        self.assertNotEqual(again.cookies[self.session], first)
        self.assertNotEqual(mallory.cookies[self.session], first)

    @tornado.testing.gen_test
    async def test_a_changed_cookie_is_no_session(self) -> None:
        anna = Person(self, "anna")
        await anna.login()
        whole = anna.cookies[self.session]
        token = whole.split("|")[-2]
        for forged in (
            whole[:-1] + ("0" if whole[-1] != "0" else "1"),
            token,
            token.split(":")[-1],
            "",
        ):
            with self.subTest(forged=forged):
                anna.cookies[self.session] = forged
                self.assertEqual((await anna.fetch("/api/state")).code, 401)

    @tornado.testing.gen_test
    async def test_the_database_has_a_hash_of_the_session_id_only(self) -> None:
        anna = Person(self, "anna")
        await anna.login()
        handler_secret = self._app.settings["cookie_secret"]
        token = tornado.web.decode_signed_value(
            handler_secret, self.session, anna.cookies[self.session]
        )
        assert token is not None
        self.assertGreaterEqual(len(token), 43)  # 256 bits in base64
        for file in self.data.glob("chat.db*"):
            self.assertNotIn(token, file.read_bytes())
