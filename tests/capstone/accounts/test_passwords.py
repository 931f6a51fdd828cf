"""What a good password is, and how it is kept."""

from concurrent.futures import ThreadPoolExecutor

import argon2
import tornado.testing

from capstone_chat.accounts.passwords import Passwords

GOOD = "correct horse battery"


class HashTest(tornado.testing.AsyncTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.passwords = Passwords(self.enterContext(ThreadPoolExecutor(1)))

    @tornado.testing.gen_test
    async def test_it_is_argon2id_with_the_parameters_of_owasp_and_a_salt(self) -> None:
        stored = await self.passwords.hash(GOOD)
        self.assertTrue(stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$"), stored)
        self.assertNotEqual(stored, await self.passwords.hash(GOOD))

    @tornado.testing.gen_test
    async def test_only_the_same_password_is_right(self) -> None:
        stored = await self.passwords.hash(GOOD)
        self.assertTrue(await self.passwords.verify(stored, GOOD))
        half = "\ud800"  # of a surrogate pair: no UTF-8 can hold it
        for wrong in "", GOOD + " ", GOOD.upper(), "nobody has this password", half:
            with self.subTest(wrong=wrong):
                self.assertFalse(await self.passwords.verify(stored, wrong))

    @tornado.testing.gen_test
    async def test_keyboards_that_compose_differently_give_the_same_password(self) -> None:
        stored = await self.passwords.hash("cafe\u0301 au lait")
        self.assertTrue(await self.passwords.verify(stored, "caf\u00e9 au lait"))

    @tornado.testing.gen_test
    async def test_nobody_is_checked_against_a_hash_that_no_password_opens(self) -> None:
        self.assertFalse(await self.passwords.verify(None, GOOD))
        self.assertFalse(await self.passwords.verify(None, "nobody has this password"))

    @tornado.testing.gen_test
    async def test_a_weaker_hash_is_outdated_and_todays_is_not(self) -> None:
        weak = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(GOOD)
        self.assertTrue(self.passwords.needs_rehash(weak))
        self.assertFalse(self.passwords.needs_rehash(await self.passwords.hash(GOOD)))
