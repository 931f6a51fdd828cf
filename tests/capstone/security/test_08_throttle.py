"""Guessing passwords is slow, and nobody can lock somebody else out."""

import asyncio
import threading
import time

import sqlalchemy as sa
import tornado.httpclient
import tornado.testing
import tornado.web

from capstone_chat.schema import failures
from capstone_chat.throttle import FREE, LONGEST, Throttle
from tests.capstone.chat_case import PASSWORD, ChatCase, DatabaseCase, Person

MINUTE = 60_000


class DelayTest(DatabaseCase):
    def setUp(self) -> None:
        super().setUp()
        self.time = 1_700_000_000_000
        self.throttle = Throttle(self.database, clock=lambda: self.time)

    async def fail(self, times: int, *keys: str) -> None:
        """Fail so often, waiting as long as one has to."""
        for _ in range(times):
            if wait := await self.throttle.attempt(*keys):
                self.time += wait
                self.assertEqual(await self.throttle.attempt(*keys), 0)

    @tornado.testing.gen_test
    async def test_each_failure_beyond_the_free_ones_doubles_the_wait(self) -> None:
        for kind, free in FREE.items():
            with self.subTest(kind=kind):
                key = f"{kind}:x"
                for _ in range(free):
                    self.assertEqual(await self.throttle.attempt(key), 0)
                waits = []
                for _ in range(12):
                    waits.append(await self.throttle.attempt(key))
                    self.time += waits[-1]
                    self.assertEqual(await self.throttle.attempt(key), 0)
                self.assertEqual(waits[:4], [1000, 2000, 4000, 8000])
                self.assertEqual(waits[-1], LONGEST)

    @tornado.testing.gen_test
    async def test_to_try_while_one_has_to_wait_does_not_make_the_wait_longer(self) -> None:
        await self.fail(5, "account:anna")
        waits = [await self.throttle.attempt("account:anna") for _ in range(20)]
        self.assertEqual(waits, [1000] * 20)
        self.time += 999
        self.assertEqual(await self.throttle.attempt("account:anna"), 1)
        self.time += 1
        self.assertEqual(await self.throttle.attempt("account:anna"), 0)

    @tornado.testing.gen_test
    async def test_of_many_at_once_only_the_free_ones_pass(self) -> None:
        tries = (self.throttle.attempt("account:anna", "address:x") for _ in range(30))
        waits = await asyncio.gather(*tries)
        self.assertEqual(waits.count(0), FREE["account"])

    @tornado.testing.gen_test
    async def test_the_longer_wait_of_account_and_address_holds(self) -> None:
        await self.fail(7, "account:anna")
        self.assertEqual(await self.throttle.attempt("account:anna", "address:x"), 4000)
        self.assertEqual(await self.throttle.attempt("account:bob", "address:x"), 0)

    @tornado.testing.gen_test
    async def test_an_address_that_tries_many_accounts_has_to_wait(self) -> None:
        for number in range(FREE["address"]):
            self.assertEqual(await self.throttle.attempt(f"account:{number}", "address:x"), 0)
        self.assertEqual(await self.throttle.attempt("account:another", "address:x"), 1000)
        self.assertEqual(await self.throttle.attempt("account:another", "address:y"), 0)

    @tornado.testing.gen_test
    async def test_success_forgets_the_account_and_not_what_the_address_did_elsewhere(self) -> None:
        for number in range(FREE["address"] - 1):
            await self.throttle.attempt(f"account:{number}", "address:x")
        for _ in range(3):  # an account of one's own does not clear the address
            self.assertEqual(await self.throttle.attempt("account:own", "address:x"), 0)
            await self.throttle.succeeded("account:own", "address:x")
        self.assertEqual(await self.throttle.attempt("account:a", "address:x"), 0)
        self.assertEqual(await self.throttle.attempt("account:b", "address:x"), 1000)
        for _ in range(3):
            for _ in range(FREE["account"]):
                self.assertEqual(await self.throttle.attempt("account:own"), 0)
            await self.throttle.succeeded("account:own")

    @tornado.testing.gen_test
    async def test_after_a_long_rest_the_count_begins_anew(self) -> None:
        await self.fail(12, "account:anna")
        self.time += 2 * LONGEST + 1
        self.assertEqual(await self.throttle.attempt("account:anna"), 0)
        query = sa.select(failures.c.failed)
        self.assertEqual(await self.database.read(lambda c: c.scalar(query)), 1)

    @tornado.testing.gen_test
    async def test_strangers_who_have_gone_leave_no_rows(self) -> None:
        for number in range(50):
            await self.throttle.attempt(f"account:{number}")
        self.time += 2 * LONGEST + 1
        await self.throttle.attempt("account:new")
        query = sa.select(sa.func.count()).select_from(failures)
        self.assertEqual(await self.database.read(lambda c: c.scalar(query)), 1)


class LoginThrottleTest(ChatCase):
    options = {"request_burst": 1000}  # noqa: RUF012

    def setUp(self) -> None:
        super().setUp()
        self.io_loop.run_sync(lambda: self.person("anna"))
        self.time = 1_700_000_000_000
        self.chat.throttle._clock = lambda: self.time

    async def says(self, person: Person, password: str) -> str:
        page = await person.login(password=password)
        if page.code == 303:
            return "in"
        text = page.body.decode()
        self.assertEqual(page.code, 400)
        wrong = "The user name or the password is wrong." in text
        often = "Too many tries. Wait a while and try again." in text
        self.assertNotEqual(wrong, often)
        return "wrong" if wrong else "wait"

    @tornado.testing.gen_test
    async def test_after_five_wrong_passwords_even_the_right_one_has_to_wait(self) -> None:
        mallory = Person(self, "ANNA")
        said = [await self.says(mallory, f"guess {n}") for n in range(7)]
        self.assertEqual(said, ["wrong"] * 5 + ["wait"] * 2)
        self.assertEqual(await self.says(mallory, PASSWORD), "wait")
        self.time += 1000
        self.assertEqual(await self.says(mallory, PASSWORD), "in")

    @tornado.testing.gen_test
    async def test_an_unknown_user_is_throttled_alike(self) -> None:
        nobody = Person(self, "nobody")
        said = [await self.says(nobody, f"guess {n}") for n in range(6)]
        self.assertEqual(said, ["wrong"] * 5 + ["wait"])

    @tornado.testing.gen_test
    async def test_a_stranger_who_fails_on_purpose_does_not_lock_the_user_out(self) -> None:
        own = Person(self, "anna")
        self.assertEqual(await self.says(own, PASSWORD), "in")
        await own.submit("/logout", {"_xsrf": await own.token()})
        for number in range(6):
            await self.says(Person(self, "anna"), f"guess {number}")
        self.assertEqual(await self.says(Person(self, "anna"), PASSWORD), "wait")
        self.assertEqual(await self.says(own, PASSWORD), "in")

    @tornado.testing.gen_test
    async def test_a_known_browser_that_guesses_has_to_wait_as_well(self) -> None:
        own = Person(self, "anna")
        await self.says(own, PASSWORD)
        await own.submit("/logout", {"_xsrf": await own.token()})
        said = []
        for number in range(6):
            own.cookies.pop("browser", None)  # a new id of the browser does not help
            said.append(await self.says(own, f"guess {number}"))
        self.assertEqual(said, ["wrong"] * 5 + ["wait"])

    @tornado.testing.gen_test
    async def test_to_be_known_for_one_account_helps_with_no_other(self) -> None:
        mallory = Person(self, "mallory")
        await mallory.register()
        await mallory.submit("/logout", {"_xsrf": await mallory.token()})
        for number in range(5):
            await self.says(Person(self, "anna"), f"guess {number}")
        mallory.name = "anna"
        self.assertEqual(await self.says(mallory, "a guess"), "wait")
        forged = Person(self, "anna")
        forged.cookies["known"] = "x:anna"
        self.assertEqual(await self.says(forged, "a guess"), "wait")


class ManyLoginsTest(ChatCase):
    def setUp(self) -> None:
        super().setUp()
        self.io_loop.run_sync(lambda: self.person("anna"))

    @tornado.testing.gen_test
    async def test_many_logins_at_once_neither_hold_the_loop_nor_fill_the_memory(self) -> None:
        accounts = self.chat.accounts
        checks = [asyncio.ensure_future(accounts.check("anna", PASSWORD)) for _ in range(40)]
        self.assertEqual((await Person(self, "bob").fetch("/login")).code, 200)
        self.assertFalse(all(check.done() for check in checks))
        self.assertTrue(all(await asyncio.gather(*checks)))
        # Each thread that hashes takes 19 MiB.
        threads = [one for one in threading.enumerate() if one.name.startswith("slow")]
        self.assertLessEqual(len(threads), self.chat.options.password_threads)

    @tornado.testing.gen_test
    async def test_a_hundred_logins_at_once_leave_the_loop_free(self) -> None:
        # The time that the loop's own thread computes: what other programs do does not count.
        # A hundred hashes would be two seconds and more.
        began = time.thread_time()
        checks = [self.chat.accounts.check("anna", PASSWORD) for _ in range(100)]
        self.assertTrue(all(await asyncio.gather(*checks)))
        self.assertLess(time.thread_time() - began, 0.5)
