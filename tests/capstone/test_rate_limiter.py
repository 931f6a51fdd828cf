"""How often is too often."""

import unittest

from capstone_chat.rate_limiter import RateLimiter


class LimitTest(unittest.TestCase):
    def setUp(self) -> None:
        self.time = 1000.0
        self.limit = RateLimiter(rate=2, burst=5, clock=lambda: self.time)

    def taken(self, key: object, tries: int) -> int:
        return sum(self.limit.acquire(key) for _ in range(tries))

    def test_the_burst_is_had_at_once_and_no_more(self) -> None:
        self.assertEqual(self.taken("anna", 20), 5)

    def test_afterwards_the_rate_is_had(self) -> None:
        self.taken("anna", 20)
        self.time += 1
        self.assertEqual(self.taken("anna", 20), 2)
        self.time += 0.4
        self.assertEqual(self.taken("anna", 20), 0)
        self.time += 0.1
        self.assertEqual(self.taken("anna", 20), 1)

    def test_to_ask_too_often_does_not_make_the_wait_longer(self) -> None:
        self.taken("anna", 20)
        taken = 0
        for _ in range(100):
            self.time += 0.01
            taken += self.limit.acquire("anna")
        self.assertAlmostEqual(taken, 2, delta=1)  # of one second; adding up tenths is not exact

    def test_who_waits_long_has_the_burst_again_and_no_more(self) -> None:
        self.taken("anna", 20)
        self.time += 1_000_000
        self.assertEqual(self.taken("anna", 20), 5)

    def test_what_was_left_is_never_added_to_a_whole_burst(self) -> None:
        self.taken("anna", 1)
        self.time += 2.4  # enough for almost five more
        self.assertEqual(self.taken("anna", 20), 5)

    def test_one_key_takes_nothing_from_another(self) -> None:
        self.taken("anna", 20)
        self.assertEqual(self.taken("bob", 20), 5)
        self.assertEqual(self.taken(7, 20), 5)

    def test_strangers_who_have_gone_take_no_memory(self) -> None:
        for address in range(10_000):
            self.limit.acquire(address)
        self.time += 10
        self.limit.acquire("anna")
        self.assertEqual(len(self.limit._buckets), 1)

    def test_sweeping_forgives_nobody_who_still_owes(self) -> None:
        self.time += 2.4
        self.taken("anna", 20)
        self.time += 0.2  # a sweep is due now, and anna's bucket holds less than one token
        self.assertEqual(self.taken("anna", 20), 0)
