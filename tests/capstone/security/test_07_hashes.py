"""Passwords are argon2id hashes, renewed when the parameters grow."""

import argon2
import sqlalchemy as sa
import tornado.httpclient
import tornado.testing
import tornado.web

from capstone_chat.storage.tables import users
from tests.capstone.chat_case import PASSWORD, ChatCase, Person


class HashTest(ChatCase):
    def setUp(self) -> None:
        super().setUp()
        self.io_loop.run_sync(lambda: Person(self, "anna").register())

    @tornado.testing.gen_test
    async def test_the_password_is_stored_as_an_argon2id_hash(self) -> None:
        """C274"""
        with self.chat.database.engine.connect() as connection:
            stored = connection.scalar(sa.select(users.c.password))
        assert stored is not None
        self.assertTrue(stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$"), stored)
        for file in self.data.glob("chat.db*"):
            self.assertNotIn(PASSWORD.encode(), file.read_bytes())

    @tornado.testing.gen_test
    async def test_a_weaker_hash_is_renewed_at_login(self) -> None:
        weak = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
        change = users.update().values(password=weak)
        await self.chat.database.write(lambda connection: connection.execute(change))

        async def stored() -> str:
            query = sa.select(users.c.password)
            return str(await self.chat.database.read(lambda c: c.scalar(query)))

        self.assertEqual((await Person(self, "anna").login(password="wrong password")).code, 400)
        self.assertEqual(await stored(), weak)
        self.assertEqual((await Person(self, "anna").login()).code, 303)
        self.assertIn("m=19456,t=2,p=1", await stored())
        self.assertEqual((await Person(self, "anna").login()).code, 303)
