"""Guessing passwords is slow, and nobody can lock somebody else out."""

import asyncio
import threading
import time
import unittest
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
import tornado.httpclient
import tornado.testing
import tornado.web

from capstone_chat import rate_limiter
from capstone_chat.accounts.login_throttle import (
    ACCOUNT_DELAY,
    ADDRESS_DELAY,
    FORGET_AFTER_MS,
    MAX_CONSECUTIVE_FAILURES,
    MINUTE_MS,
    UNDER_ATTACK_DELAY,
    LoginThrottle,
    known_browser_keys,
    new_browser_keys,
)
from capstone_chat.purge import Purge
from capstone_chat.storage.tables import login_failures
from tests.capstone.chat_case import PASSWORD, ChatCase, DatabaseCase, Person, RunningChat

HOUR, DAY = 60 * MINUTE_MS, 24 * 60 * MINUTE_MS


class DelayTest(DatabaseCase):
    def setUp(self) -> None:
        super().setUp()
        self.time = 1_700_000_000_000
        self.throttle = LoginThrottle(self.database, clock=lambda: self.time)

    async def fail_attempts(self, times: int, *keys: str) -> None:
        """Fail so often, waiting as long as one has to."""
        for _ in range(times):
            if wait := await self.throttle.reserve_attempt(*keys):
                self.time += wait
                self.assertEqual(await self.throttle.reserve_attempt(*keys), 0)

    async def guesses(self, during: int, *keys: str) -> int:
        """Return how often one who never waits longer than necessary can fail in some time."""
        end, count = self.time + during, 0
        while self.time < end:
            wait = await self.throttle.reserve_attempt(*keys)
            count += wait == 0
            self.time += wait
        return count

    async def attack(self, account: str, times: int = MAX_CONSECUTIVE_FAILURES) -> None:
        """Fail at an account, each time from another network."""
        for number in range(times):
            keys = new_browser_keys(account, f"10.0.{number // 256}.{number % 256}")
            self.assertEqual(await self.throttle.reserve_attempt(*keys), 0)

    @tornado.testing.gen_test
    async def test_each_failure_beyond_the_free_ones_doubles_the_wait(self) -> None:
        for delay, key in (ACCOUNT_DELAY, "account:x"), (ADDRESS_DELAY, "address:x"):
            with self.subTest(key=key):
                for _ in range(delay.free_attempts):
                    self.assertEqual(await self.throttle.reserve_attempt(key), 0)
                waits = []
                for _ in range(12):
                    waits.append(await self.throttle.reserve_attempt(key))
                    self.time += waits[-1]
                    self.assertEqual(await self.throttle.reserve_attempt(key), 0)
                self.assertEqual(waits[:4], [1000, 2000, 4000, 8000])
                self.assertEqual(waits[-1], delay.max_ms)

    @tornado.testing.gen_test
    async def test_to_try_while_one_has_to_wait_does_not_make_the_wait_longer(self) -> None:
        await self.fail_attempts(5, "account:anna")
        waits = [await self.throttle.reserve_attempt("account:anna") for _ in range(20)]
        self.assertEqual(waits, [1000] * 20)
        self.time += 999
        self.assertEqual(await self.throttle.reserve_attempt("account:anna"), 1)
        self.time += 1
        self.assertEqual(await self.throttle.reserve_attempt("account:anna"), 0)

    @tornado.testing.gen_test
    async def test_of_many_at_once_only_the_free_ones_pass(self) -> None:
        tries = (self.throttle.reserve_attempt("account:anna", "address:x") for _ in range(30))
        waits = await asyncio.gather(*tries)
        self.assertEqual(waits.count(0), ACCOUNT_DELAY.free_attempts)

    @tornado.testing.gen_test
    async def test_the_longer_wait_of_account_and_address_holds(self) -> None:
        await self.fail_attempts(7, "account:anna")
        self.assertEqual(await self.throttle.reserve_attempt("account:anna", "address:x"), 4000)
        self.assertEqual(await self.throttle.reserve_attempt("account:bob", "address:x"), 0)

    @tornado.testing.gen_test
    async def test_an_address_that_tries_many_accounts_has_to_wait(self) -> None:
        for number in range(ADDRESS_DELAY.free_attempts):
            self.assertEqual(
                await self.throttle.reserve_attempt(f"account:{number}", "address:x"), 0
            )
        self.assertEqual(await self.throttle.reserve_attempt("account:another", "address:x"), 1000)
        self.assertEqual(await self.throttle.reserve_attempt("account:another", "address:y"), 0)

    @tornado.testing.gen_test
    async def test_who_shares_an_address_with_a_guesser_waits_a_minute_at_most(self) -> None:
        for number in range(60):
            await self.fail_attempts(1, *new_browser_keys(f"user{number}", "192.0.2.1"))
        self.assertEqual(
            await self.throttle.reserve_attempt(*new_browser_keys("anna", "192.0.2.1")), MINUTE_MS
        )

    @tornado.testing.gen_test
    async def test_success_forgets_the_account_and_not_what_the_address_did_elsewhere(self) -> None:
        for number in range(ADDRESS_DELAY.free_attempts - 1):
            await self.throttle.reserve_attempt(f"account:{number}", "address:x")
        for _ in range(3):  # an account of one's own does not clear the address
            self.assertEqual(await self.throttle.reserve_attempt("account:own", "address:x"), 0)
            await self.throttle.record_success("account:own", "address:x")
        self.assertEqual(await self.throttle.reserve_attempt("account:a", "address:x"), 0)
        self.assertEqual(await self.throttle.reserve_attempt("account:b", "address:x"), 1000)
        for _ in range(3):
            for _ in range(ACCOUNT_DELAY.free_attempts):
                self.assertEqual(await self.throttle.reserve_attempt("account:own"), 0)
            await self.throttle.record_success("account:own")

    @tornado.testing.gen_test
    async def test_after_a_long_rest_the_count_begins_anew(self) -> None:
        await self.fail_attempts(12, "account:anna")
        self.time += FORGET_AFTER_MS + 1
        self.assertEqual(await self.throttle.reserve_attempt("account:anna"), 0)
        query = sa.select(login_failures.c.failed)
        self.assertEqual(await self.database.read(lambda c: c.scalar(query)), 1)

    @tornado.testing.gen_test
    async def test_strangers_who_have_gone_leave_no_rows(self) -> None:
        for number in range(50):
            await self.throttle.reserve_attempt(f"account:{number}")
        self.time += FORGET_AFTER_MS + 1
        await self.throttle.reserve_attempt("account:new")
        purge = Purge(self.database, idle=1, lifetime=1, pause=0, clock=lambda: self.time)
        await purge.run()
        query = sa.select(sa.func.count()).select_from(login_failures)
        self.assertEqual(await self.database.read(lambda c: c.scalar(query)), 1)

    @tornado.testing.gen_test
    async def test_guesses_at_one_account_from_one_network_are_few_a_day(self) -> None:
        keys = new_browser_keys("anna", "192.0.2.1")
        self.assertLessEqual(await self.guesses(DAY, *keys), 110)
        self.assertLessEqual(await self.guesses(DAY, *keys), 96)  # the next day brings no new ones

    @tornado.testing.gen_test
    async def test_an_account_under_attack_leaves_each_network_one_guess_and_few_more(self) -> None:
        await self.attack("anna")
        keys = new_browser_keys("anna", "192.0.2.1")
        waits = []
        for _ in range(9):
            self.assertEqual(await self.throttle.reserve_attempt(*keys), 0)
            waits.append(await self.throttle.reserve_attempt(*keys))
            self.time += waits[-1]
        self.assertEqual(waits[:3], [30_000, 60_000, 120_000])
        self.assertEqual(waits[-1], HOUR)
        other = new_browser_keys("anna", "192.0.2.2")
        self.assertLessEqual(await self.guesses(DAY, *other), 31)

    @tornado.testing.gen_test
    async def test_an_attack_on_one_account_changes_nothing_for_another(self) -> None:
        await self.attack("anna")
        for _ in range(ACCOUNT_DELAY.free_attempts):
            keys = new_browser_keys("bob", "192.0.2.1")
            self.assertEqual(await self.throttle.reserve_attempt(*keys), 0)

    @tornado.testing.gen_test
    async def test_a_new_network_never_waits_however_many_strangers_fail(self) -> None:
        await self.attack("anna", 3 * MAX_CONSECUTIVE_FAILURES)
        for number in range(5):
            await self.throttle.reserve_attempt(*new_browser_keys("anna", f"198.51.100.{number}"))
            keys = new_browser_keys("anna", f"192.0.2.{number}")
            self.assertEqual(await self.throttle.reserve_attempt(*keys), 0)
            await self.throttle.record_success(*keys)
            self.assertEqual(await self.throttle.reserve_attempt(*keys), 0)

    @tornado.testing.gen_test
    async def test_one_success_does_not_end_the_attack(self) -> None:
        await self.attack("anna", MAX_CONSECUTIVE_FAILURES + 1)
        keys = new_browser_keys("anna", "192.0.2.1")
        await self.throttle.reserve_attempt(*keys)
        await self.throttle.record_success(*keys)
        guesser = new_browser_keys("anna", "192.0.2.2")
        await self.throttle.reserve_attempt(*guesser)
        self.assertEqual(await self.throttle.reserve_attempt(*guesser), UNDER_ATTACK_DELAY.first_ms)

    @tornado.testing.gen_test
    async def test_a_known_browser_is_not_touched_by_an_attack(self) -> None:
        await self.attack("anna", 2 * MAX_CONSECUTIVE_FAILURES)
        keys = known_browser_keys("anna", "its id")
        waits = [
            await self.throttle.reserve_attempt(*keys)
            for _ in range(ACCOUNT_DELAY.free_attempts + 1)
        ]
        self.assertEqual(waits, [0] * ACCOUNT_DELAY.free_attempts + [1000])


class NetworkTest(unittest.TestCase):
    def test_an_address_is_counted_by_its_network(self) -> None:
        for address, expected in {
            "192.0.2.1": "192.0.2.1",
            "::ffff:192.0.2.1": "192.0.2.1",
            "::1": "::/64",
            "2001:db8:1:2::1": "2001:db8:1:2::/64",
            "2001:db8:1:2:ffff:ffff:ffff:ffff": "2001:db8:1:2::/64",
            "2001:db8:1:3::1": "2001:db8:1:3::/64",
            "fe80::1%eth0": "fe80::/64",
            "": "",
            "a socket file": "a socket file",
        }.items():
            with self.subTest(address=address):
                self.assertEqual(rate_limiter.network_key(address), expected)


class LoginCase(ChatCase):
    """A login form and a clock."""

    options = {"request_burst": 1000}  # noqa: RUF012

    def setUp(self) -> None:
        super().setUp()
        self.io_loop.run_sync(lambda: self.person("anna"))
        self.time = 1_700_000_000_000
        self.chat.login_throttle._clock = lambda: self.time

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


class Elsewhere(Person):
    """Somebody at another address: it is in the header that a proxy adds."""

    def __init__(self, case: RunningChat, name: str, address: str) -> None:
        super().__init__(case, name)
        self.address = address

    async def fetch(
        self, path: str, *, headers: Mapping[str, str] | None = None, **more: Any
    ) -> tornado.httpclient.HTTPResponse:
        own = {"X-Forwarded-For": self.address}
        return await super().fetch(path, headers={**own, **(headers or {})}, **more)


class LoginThrottleTest(LoginCase):
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
    async def test_a_stranger_at_the_same_address_does_not_lock_out_a_known_browser(self) -> None:
        own = Person(self, "anna")
        self.assertEqual(await self.says(own, PASSWORD), "in")
        await own.log_out()
        for number in range(6):
            await self.says(Person(self, "anna"), f"guess {number}")
        self.assertEqual(await self.says(Person(self, "anna"), PASSWORD), "wait")
        self.assertEqual(await self.says(own, PASSWORD), "in")

    @tornado.testing.gen_test
    async def test_a_known_browser_that_guesses_has_to_wait_as_well(self) -> None:
        own = Person(self, "anna")
        await self.says(own, PASSWORD)
        await own.log_out()
        said = []
        for number in range(6):
            # a new id of the browser does not help
            own.cookies.pop(self.cookie_name("browser"), None)
            said.append(await self.says(own, f"guess {number}"))
        self.assertEqual(said, ["wrong"] * 5 + ["wait"])

    @tornado.testing.gen_test
    async def test_to_be_known_for_one_account_helps_with_no_other(self) -> None:
        mallory = Person(self, "mallory")
        await mallory.register()
        await mallory.log_out()
        for number in range(5):
            await self.says(Person(self, "anna"), f"guess {number}")
        mallory.name = "anna"
        self.assertEqual(await self.says(mallory, "a guess"), "wait")
        forged = Person(self, "anna")
        forged.cookies[self.cookie_name("known")] = "x:anna"
        self.assertEqual(await self.says(forged, "a guess"), "wait")

    @tornado.testing.gen_test
    async def test_a_header_does_not_make_another_address_without_a_proxy(self) -> None:
        said = [
            await self.says(Elsewhere(self, "anna", f"192.0.2.{number}"), "a guess")
            for number in range(6)
        ]
        self.assertEqual(said, ["wrong"] * 5 + ["wait"])


class ProxyThrottleTest(LoginCase):
    options = {**LoginCase.options, "xheaders": True}  # noqa: RUF012

    @tornado.testing.gen_test
    async def test_strangers_elsewhere_do_not_lock_out_a_new_browser(self) -> None:
        for number in range(8):
            await self.says(Elsewhere(self, "anna", "192.0.2.1"), f"guess {number}")
            await self.says(Elsewhere(self, "anna", f"198.51.100.{number}"), f"guess {number}")
        said = await self.says(Elsewhere(self, "anna", "192.0.2.1"), PASSWORD)
        self.assertEqual(said, "wait")
        anna = Elsewhere(self, "anna", "203.0.113.5")
        self.assertEqual(await self.says(anna, "mistyped"), "wrong")
        self.assertEqual(await self.says(anna, PASSWORD), "in")

    @tornado.testing.gen_test
    async def test_an_account_under_attack_lets_in_whoever_has_the_password(self) -> None:
        for number in range(2 * MAX_CONSECUTIVE_FAILURES):
            keys = new_browser_keys("anna", f"10.0.0.{number}")
            await self.chat.login_throttle.reserve_attempt(*keys)
        guesser = Elsewhere(self, "anna", "192.0.2.1")
        said = [await self.says(guesser, f"guess {number}") for number in range(2)]
        self.assertEqual(said, ["wrong", "wait"])
        anna = Elsewhere(self, "anna", "203.0.113.5")
        self.assertEqual(await self.says(anna, PASSWORD), "in")

    @tornado.testing.gen_test
    async def test_a_name_that_nobody_has_is_under_attack_in_the_same_way(self) -> None:
        said: dict[str, list[str]] = {}
        for name in "anna", "nobody":
            for number in range(MAX_CONSECUTIVE_FAILURES):
                keys = new_browser_keys(name, f"10.0.0.{number}")
                await self.chat.login_throttle.reserve_attempt(*keys)
            guesser = Elsewhere(self, name, "192.0.2.1")
            said[name] = [await self.says(guesser, f"guess {number}") for number in range(2)]
        self.assertEqual(said["anna"], said["nobody"])

    @tornado.testing.gen_test
    async def test_the_addresses_of_one_ipv6_network_are_counted_together(self) -> None:
        said = [
            await self.says(Elsewhere(self, "anna", f"2001:db8:0:1::{number + 1:x}"), "a guess")
            for number in range(6)
        ]
        self.assertEqual(said, ["wrong"] * 5 + ["wait"])
        anna = Elsewhere(self, "anna", "2001:db8:0:2::1")
        self.assertEqual(await self.says(anna, PASSWORD), "in")


class ProxyRequestsTest(ChatCase):
    options = {"request_burst": 3, "request_rate": 0.001, "xheaders": True}  # noqa: RUF012

    @tornado.testing.gen_test
    async def test_forms_are_counted_by_network_too(self) -> None:
        addresses = [f"2001:db8:0:1::{number + 1:x}" for number in range(4)]
        pages = [await Elsewhere(self, "x", one).fetch("/login") for one in addresses]
        self.assertEqual([page.code for page in pages], [200, 200, 200, 429])
        page = await Elsewhere(self, "x", "2001:db8:0:2::1").fetch("/login")
        self.assertEqual(page.code, 200)


class ManyLoginsTest(ChatCase):
    async def gather(self) -> None:
        await self.person("anna")

    @tornado.testing.gen_test
    async def test_many_logins_at_once_neither_hold_the_loop_nor_fill_the_memory(self) -> None:
        accounts = self.chat.accounts
        checks = [asyncio.ensure_future(accounts.log_in("anna", PASSWORD, "")) for _ in range(40)]
        self.assertEqual((await Person(self, "bob").fetch("/login")).code, 200)
        self.assertFalse(all(check.done() for check in checks))
        self.assertTrue(all(await asyncio.gather(*checks)))
        # Each thread that hashes takes 19 MiB.
        threads = [one for one in threading.enumerate() if one.name.startswith("password")]
        self.assertLessEqual(len(threads), self.chat.options.password_threads)

    @tornado.testing.gen_test
    async def test_a_hundred_logins_at_once_leave_the_loop_free(self) -> None:
        # The time that the loop's own thread computes: what other programs do does not count.
        # A hundred hashes would be two seconds and more.
        began = time.thread_time()
        checks = [self.chat.accounts.log_in("anna", PASSWORD, "") for _ in range(100)]
        self.assertTrue(all(await asyncio.gather(*checks)))
        self.assertLess(time.thread_time() - began, 0.5)
