"""A clock that is set back or forward locks nobody out, and makes nothing last for ever."""

import functools
import time
from typing import Any

import sqlalchemy as sa
import tornado.testing
import tornado.web

from capstone_chat.accounts.captcha import Captchas
from capstone_chat.accounts.login_throttle import (
    ACCOUNT_DELAY,
    ADDRESS_DELAY,
    MAX_CONSECUTIVE_FAILURES,
    MINUTE_MS,
    UNDER_ATTACK_DELAY,
    LoginThrottle,
    known_browser_keys,
    new_browser_keys,
)
from capstone_chat.accounts.sessions import CLOCK_TOLERANCE_MS, Sessions
from capstone_chat.conversations.users import User
from capstone_chat.realtime.hub import Hub
from capstone_chat.storage.tables import captchas, login_failures, sessions, users
from tests.capstone.chat_case import PASSWORD, ChatCase, DatabaseCase, Person
from tests.capstone.socket_case import SocketCase

HOUR, DAY, YEAR = 60 * MINUTE_MS, 1440 * MINUTE_MS, 365 * 1440 * MINUTE_MS
JUMPS = (1, MINUTE_MS, HOUR, DAY, YEAR, 100 * YEAR)
"""Milliseconds by which a clock goes wrong."""


class ClockCase(DatabaseCase):
    """A database, and a clock that goes wrong."""

    def setUp(self) -> None:
        super().setUp()
        self.time = 1_800_000_000_000

    def clock(self) -> int:
        return self.time

    async def execute(self, change: sa.Executable) -> None:
        await self.database.write(lambda connection: connection.execute(change))


class ThrottleClockTest(ClockCase):
    def setUp(self) -> None:
        super().setUp()
        self.throttle = LoginThrottle(self.database, clock=self.clock)
        self.places = (
            (ACCOUNT_DELAY, known_browser_keys("anna", "browser")),
            (ACCOUNT_DELAY, new_browser_keys("bob", "192.0.2.1")),
            (ADDRESS_DELAY, ["address:192.0.2.2"]),
        )

    @tornado.testing.gen_test
    async def test_a_failure_in_the_future_counts_as_now(self) -> None:
        for jump in JUMPS:
            for delay, keys in self.places:
                with self.subTest(jump=jump, keys=keys):
                    await self.execute(login_failures.delete())
                    self.time += jump
                    for _ in range(delay.free_attempts + 1):
                        await self.throttle.reserve_attempt(*keys)
                    self.time -= jump
                    wait = await self.throttle.reserve_attempt(*keys)
                    self.assertEqual(wait, delay.after(delay.free_attempts))
                    self.time += wait  # it does end, though the clock is still behind
                    self.assertEqual(await self.throttle.reserve_attempt(*keys), 0)

    @tornado.testing.gen_test
    async def test_no_wait_is_longer_than_its_longest(self) -> None:
        for failed, pressure, delay in (
            (1000, 0, ACCOUNT_DELAY),
            (1000, MAX_CONSECUTIVE_FAILURES, UNDER_ATTACK_DELAY),
        ):
            with self.subTest(pressure=pressure):
                await self.execute(login_failures.delete())
                keys = new_browser_keys("anna", "192.0.2.1")
                for key, count in zip(keys, (failed, failed, pressure), strict=True):
                    row = login_failures.insert().values(key=key, failed=count, at=self.time + YEAR)
                    await self.execute(row)
                self.assertEqual(await self.throttle.reserve_attempt(*keys), delay.max_ms)
                self.time += delay.max_ms
                self.assertEqual(await self.throttle.reserve_attempt(*keys), 0)

    @tornado.testing.gen_test
    async def test_others_at_the_address_are_not_locked_out(self) -> None:
        self.time += DAY
        for number in range(ADDRESS_DELAY.free_attempts):
            await self.throttle.reserve_attempt(*new_browser_keys(f"user{number}", "192.0.2.1"))
        self.time -= DAY
        anna = new_browser_keys("anna", "192.0.2.1")
        self.assertEqual(await self.throttle.reserve_attempt(*anna), ADDRESS_DELAY.first_ms)
        self.time += ADDRESS_DELAY.first_ms
        self.assertEqual(await self.throttle.reserve_attempt(*anna), 0)

    @tornado.testing.gen_test
    async def test_a_clock_that_jumps_forward_and_back_locks_nobody_out(self) -> None:
        keys = new_browser_keys("anna", "192.0.2.1")
        for _ in range(ACCOUNT_DELAY.free_attempts):
            await self.throttle.reserve_attempt(*keys)
        self.time += YEAR
        self.assertEqual(await self.throttle.reserve_attempt(*keys), 0)
        self.time -= YEAR
        self.assertEqual(await self.throttle.reserve_attempt(*keys), 0)


class LoginClockTest(ChatCase):
    options = {"request_burst": 1000}  # noqa: RUF012

    @tornado.testing.gen_test
    async def test_the_right_password_lets_in_after_the_clock_went_back(self) -> None:
        for name in "anna", "bob":
            await self.person(name)
        start = self.time = self.chat.login_throttle._clock() + DAY
        self.chat.login_throttle._clock = lambda: self.time
        for number in range(6):
            await Person(self, "bob").login(password=f"a guess {number}")
        self.time = start - DAY
        self.assertEqual((await Person(self, "anna").login()).code, 303)
        self.assertEqual((await Person(self, "bob").login()).code, 400)
        self.time += ACCOUNT_DELAY.after(ACCOUNT_DELAY.free_attempts)
        self.assertEqual((await Person(self, "bob").login()).code, 303)

    @tornado.testing.gen_test
    async def test_a_cookie_that_was_signed_in_the_future_is_taken(self) -> None:
        anna = Person(self, "anna")
        await anna.register()
        secret = self._app.settings["cookie_secret"]
        for years in 1, 100:
            ahead = time.time() + years * 365 * 86_400
            for name in "session", "known", "browser":
                full = self.cookie_name(name)
                value = tornado.web.decode_signed_value(secret, full, anna.cookies[full])
                assert value is not None
                signed = tornado.web.create_signed_value(
                    secret, full, value, clock=functools.partial(float, ahead)
                )
                anna.cookies[full] = signed.decode()
            response = await anna.fetch("/api/state")
            self.assertEqual((response.code, response.headers.get_list("Set-Cookie")), (200, []))
        await anna.log_out()
        for number in range(6):  # this browser is still known
            await Person(self, "anna").login(password=f"a guess {number}")
        self.assertEqual((await anna.login()).code, 303)


class SessionClockTest(ClockCase):
    IDLE, LIFETIME = DAY, 10 * DAY

    def setUp(self) -> None:
        super().setUp()
        self.sessions = Sessions(
            self.database,
            Hub(),
            idle=self.IDLE // 1000,
            lifetime=self.LIFETIME // 1000,
            clock=self.clock,
        )
        self.io_loop.run_sync(self.gather)

    async def gather(self) -> None:
        row = {"name": "anna", "name_key": "anna", "nickname": "Anna", "password": ""}
        await self.execute(users.insert().values(id=1, created_at=0, **row))
        self.user = User(1, "Anna", None, "anna", "", "")

    async def start(self) -> str:
        return await self.database.write(lambda c: self.sessions.create(c, self.user, "")[0])

    async def times(self) -> tuple[int, int]:
        query = sa.select(sessions.c.created_at, sessions.c.seen_at)
        row: Any = await self.database.read(lambda c: c.execute(query).one())
        return row.created_at, row.seen_at

    async def use_until_it_ends(self, token: str) -> int:
        """Return how many milliseconds a session lives that is always in use."""
        start = self.time
        while await self.sessions.get(token):
            self.time += self.IDLE // 2
        return self.time - start

    @tornado.testing.gen_test
    async def test_a_session_from_the_future_is_open_and_ends(self) -> None:
        for jump in JUMPS:
            with self.subTest(jump=jump):
                await self.execute(sessions.delete())
                self.time += jump
                token = await self.start()
                self.time -= jump
                self.assertIsNotNone(await self.sessions.get(token))
                latest = max(await self.times())
                self.assertLessEqual(latest, self.time + CLOCK_TOLERANCE_MS)
                lived = await self.use_until_it_ends(token)
                self.assertLessEqual(lived, self.LIFETIME + self.IDLE // 2)

    @tornado.testing.gen_test
    async def test_one_from_the_future_that_nobody_uses_ends(self) -> None:
        for use in True, False:
            with self.subTest(use=use):
                self.time += YEAR
                token = await self.start()
                self.time -= YEAR
                self.assertIsNotNone(await self.sessions.get(token, touch=use))
                self.time += self.IDLE
                self.assertIsNone(await self.sessions.get(token))
                await self.execute(sessions.delete())

    @tornado.testing.gen_test
    async def test_at_a_start_all_of_them_are_corrected(self) -> None:
        token = await self.start()
        good = await self.times()
        self.time += 1
        await self.sessions.correct_times()
        self.assertEqual(await self.times(), good)
        await self.execute(sessions.update().values(seen_at=self.time + YEAR))
        await self.sessions.correct_times()
        self.assertEqual(await self.times(), (good[0], self.time))
        self.time += self.IDLE
        self.assertIsNone(await self.sessions.get(token))

    @tornado.testing.gen_test
    async def test_only_the_time_in_the_future_is_corrected(self) -> None:
        token = await self.start()
        start = self.time
        self.time += HOUR
        await self.execute(sessions.update().values(created_at=self.time + YEAR))
        await self.sessions.get(token, touch=False)
        self.assertEqual(await self.times(), (self.time, start))

    @tornado.testing.gen_test
    async def test_clocks_that_differ_a_little_cost_no_writes(self) -> None:
        token = await self.start()
        self.time -= CLOCK_TOLERANCE_MS
        before = self.database.writes
        for _ in range(5):
            self.assertIsNotNone(await self.sessions.get(token))
        self.assertEqual(self.database.writes, before)

    @tornado.testing.gen_test
    async def test_a_clock_that_jumps_forward_and_back_ends_nothing(self) -> None:
        token = await self.start()
        self.time += YEAR
        self.assertIsNone(await self.sessions.get(token))
        self.time -= YEAR
        self.assertIsNotNone(await self.sessions.get(token))


class CaptchaClockTest(ClockCase):
    LIFETIME = 300

    def setUp(self) -> None:
        super().setUp()
        self.captchas = Captchas(self.database, lifetime=self.LIFETIME, clock=self.clock)

    async def issue(self) -> tuple[str, str]:
        challenge = await self.captchas.create("login", "browser")
        query = sa.select(captchas.c.answer).where(captchas.c.id == challenge)
        return challenge, str(await self.database.read(lambda c: c.scalar(query)))

    async def check(self, challenge: str, answer: str) -> bool:
        return await self.captchas.verify(challenge, "login", "browser", answer)

    @tornado.testing.gen_test
    async def test_one_from_the_future_can_be_answered(self) -> None:
        for jump in JUMPS:
            with self.subTest(jump=jump):
                self.time += jump
                challenge, answer = await self.issue()
                self.time -= jump
                self.assertTrue(await self.check(challenge, answer))

    @tornado.testing.gen_test
    async def test_one_from_the_future_does_not_last(self) -> None:
        self.time += YEAR
        challenge, answer = await self.issue()
        self.time -= YEAR
        await self.issue()  # corrects what is there
        self.time += self.LIFETIME * 1000 - 1
        self.assertIsNotNone(await self.captchas.image(challenge, "browser"))
        self.time += 1
        self.assertIsNone(await self.captchas.image(challenge, "browser"))
        self.assertFalse(await self.check(challenge, answer))

    @tornado.testing.gen_test
    async def test_a_clock_that_jumps_forward_and_back_ends_nothing(self) -> None:
        challenge, answer = await self.issue()
        self.time += DAY
        self.assertIsNone(await self.captchas.image(challenge, "browser"))
        self.time -= DAY
        self.assertTrue(await self.check(challenge, answer))


class OrderTest(SocketCase):
    @tornado.testing.gen_test
    async def test_order_and_read_marks_know_no_clock(self) -> None:
        start = self.chat.messages._clock()
        times = [start, start + YEAR, start - YEAR, start]
        line = await self.anna.connect()
        for number, at in enumerate(times):
            self.chat.messages._clock = functools.partial(int, at)
            await line.send(self.conv, f"{number}")
            await line.receive("ack")
        _, page = await self.bob.call("GET", f"/api/conversations/{self.conv}/events")
        said = [event for event in page["events"] if event["type"] == "message"]
        self.assertEqual([event["text"] for event in said], ["0", "1", "2", "3"])
        self.assertEqual([event["at"] for event in said], times)
        await line.say(type="read", conv=self.conv, seq=said[-1]["seq"])
        await line.heard()
        _, one = await self.anna.call("GET", f"/api/conversations/{self.conv}")
        self.assertEqual(one["conversation"]["read"], said[-1]["seq"])


class StartTest(ChatCase):
    @tornado.testing.gen_test
    async def test_a_chat_that_starts_corrects_what_a_wrong_clock_has_left(self) -> None:
        await self.person("anna")
        ahead = self.chat.sessions._clock() + YEAR
        change = sessions.update().values(created_at=ahead, seen_at=ahead)
        await self.chat.database.write(lambda connection: connection.execute(change))
        await self.chat.open()
        query = sa.select(sessions.c.created_at)
        created = await self.chat.database.read(lambda c: c.scalar(query))
        assert created is not None
        self.assertLess(created, ahead)
        self.assertEqual((await Person(self, "anna").login(password=PASSWORD)).code, 303)
