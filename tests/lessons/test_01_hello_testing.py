"""Lesson 01: the tests that the lesson shows pass, and find a mistake (C332)."""

import importlib
import unittest
from unittest import mock

import tornado.web

from tests.support.lesson_case import import_script

test_routing = import_script("01_hello", "test_routing")


def run_tests() -> unittest.TestResult:
    result = unittest.TestResult()
    unittest.defaultTestLoader.loadTestsFromTestCase(test_routing.RoutingTest).run(result)
    return result


class WrongHelloHandler(tornado.web.RequestHandler):
    def get(self, name: str) -> None:
        self.write(f"Hi, {name}!\n")


def test_the_tests_of_the_lesson_pass() -> None:
    """C332"""
    result = run_tests()
    assert result.testsRun == 4
    assert result.wasSuccessful(), [*result.failures, *result.errors]


def test_they_find_another_greeting() -> None:
    """C332: the message is that of the page."""
    routing = importlib.import_module("routing")
    with mock.patch.object(routing, "HelloHandler", WrongHelloHandler):
        result = run_tests()
    assert [str(test).partition(" ")[0] for test, _ in result.failures] == [
        "test_hello_contains_the_name"
    ]
    assert r"AssertionError: b'Hi, Ada!\n' != b'Hello, Ada!\n'" in result.failures[0][1]
