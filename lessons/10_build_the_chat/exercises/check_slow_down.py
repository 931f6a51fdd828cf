"""Each user may send a few messages at once, and then one each second."""

import tornado.web

from course.testing.http import ExerciseCase

BURST = "3 at once: a user who is new has 3 tokens, and each message takes one"
EACH_SECOND = "each second brings one token: add the seconds that have passed"
TOP = "never more than 3 tokens, however long a user was silent"
OWN = "each user has a bucket of its own"


class SlowDown(ExerciseCase):
    def get_app(self) -> tornado.web.Application:
        self.now = 1000.0
        return self.make_app(clock=lambda: self.now)

    def expect_sent(self, number: int, advice: str, user: str = "Ada") -> None:
        for _ in range(number):
            response = self.send("POST", f"/send?user={user}")
            response.expect(status=200, json={"sent": True}, advice=advice)

    def expect_refused(self, advice: str) -> None:
        self.send("POST", "/send?user=Ada").expect(status=429, advice=advice)

    def test_a_burst(self) -> None:
        self.expect_sent(3, BURST)
        self.expect_refused(BURST)

    def test_one_each_second(self) -> None:
        self.expect_sent(3, BURST)
        self.now += 2
        self.expect_sent(2, EACH_SECOND)
        self.expect_refused(EACH_SECOND)

    def test_a_long_silence(self) -> None:
        self.expect_sent(1, BURST)
        self.now += 3600
        self.expect_sent(3, TOP)
        self.expect_refused(TOP)

    def test_two_users(self) -> None:
        self.expect_sent(3, BURST)
        self.expect_sent(3, OWN, user="Bob")
