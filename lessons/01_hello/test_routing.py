"""Tests of routing.py: each test starts its application on a free port and sends requests.

Run it:  python3 learn.py run 01/test_routing
"""

import unittest

import tornado.testing
import tornado.web
from routing import make_app


class RoutingTest(tornado.testing.AsyncHTTPTestCase):
    def get_app(self) -> tornado.web.Application:
        return make_app()

    def test_hello_contains_the_name(self) -> None:
        response = self.fetch("/hello/Ada")
        self.assertEqual(response.code, 200)
        self.assertEqual(response.body, b"Hello, Ada!\n")

    def test_the_sum_of_two_numbers(self) -> None:
        self.assertEqual(self.fetch("/sum/2/3").body, b"5\n")

    def test_a_sum_needs_numbers(self) -> None:
        self.assertEqual(self.fetch("/sum/2/three").code, 404)

    def test_post_is_refused(self) -> None:
        response = self.fetch("/hello/Ada", method="POST", body="")
        self.assertEqual(response.code, 405)


if __name__ == "__main__":
    unittest.main()
