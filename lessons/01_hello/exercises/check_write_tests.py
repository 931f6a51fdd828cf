"""The tests pass with the application as it is, and fail with each of several mistakes in it."""

import unittest
from collections.abc import Callable
from unittest import mock

import tornado.web

from course.testing.http import ExerciseCase, InvalidSubmission, Mismatch

NO_TESTS = (
    "class CelsiusTest: add methods whose names begin with test_.\n"
    "unittest calls only methods with such a name"
)
CORRECT = "the application is right: correct what the test expects"
COMPARE = (
    "self.fetch() does not raise for a status such as 400: compare response.code and response.body"
)


def fahrenheit(handler: tornado.web.RequestHandler) -> float:
    try:
        return float(handler.get_query_argument("fahrenheit"))
    except ValueError:
        raise tornado.web.HTTPError(400) from None


def answers_with_fahrenheit(handler: tornado.web.RequestHandler) -> None:
    handler.write({"celsius": fahrenheit(handler)})


def drops_the_fraction(handler: tornado.web.RequestHandler) -> None:
    handler.write({"celsius": float(int((fahrenheit(handler) - 32) / 1.8))})


def drops_the_sign(handler: tornado.web.RequestHandler) -> None:
    handler.write({"celsius": abs(round((fahrenheit(handler) - 32) / 1.8, 1))})


def has_a_default(handler: tornado.web.RequestHandler) -> None:
    if handler.get_query_argument("fahrenheit", None) is None:
        handler.write({"celsius": -17.8})
    else:
        handler.write({"celsius": round((fahrenheit(handler) - 32) / 1.8, 1)})


def fails_for_a_word(handler: tornado.web.RequestHandler) -> None:
    try:
        value = float(handler.get_query_argument("fahrenheit"))
    except ValueError:
        handler.send_error(500)
        return
    handler.write({"celsius": round((value - 32) / 1.8, 1)})


class WriteTests(ExerciseCase):
    def run_tests(self, get: Callable[..., None] | None = None) -> unittest.TestResult:
        """Run the learner's tests.

        Args:
            get: the method get() of the handler; None for the learner's own.
        """
        handler = getattr(self.subject, "CelsiusHandler", None)
        if handler is None:
            raise InvalidSubmission("The file has no CelsiusHandler: leave it as it was.")
        result = unittest.TestResult()
        with mock.patch.object(handler, "get", get or handler.get):
            unittest.defaultTestLoader.loadTestsFromModule(self.subject).run(result)
        return result

    def expect_failure(self, mistake: str, get: Callable[..., None]) -> None:
        self.test_the_tests_pass()
        if self.run_tests(get).wasSuccessful():
            raise Mismatch(
                sent=f"your tests, with a handler that {mistake}",
                received="all tests pass",
                expected="a test that fails",
                advice=COMPARE,
            )

    def test_the_tests_pass(self) -> None:
        result = self.run_tests()
        wrong = [*result.failures, *result.errors]
        if not result.testsRun or wrong:
            received = wrong[0][1].strip().splitlines()[-1] if wrong else "no test"
            name = f", {str(wrong[0][0]).partition(' ')[0]}" if wrong else ""
            raise Mismatch(
                sent=f"your tests, with the application as it is{name}",
                received=received,
                expected="all tests pass" if wrong else "some tests, and all pass",
                advice=CORRECT if wrong else NO_TESTS,
            )

    def test_a_wrong_result_is_found(self) -> None:
        self.expect_failure("answers with the value in Fahrenheit", answers_with_fahrenheit)

    def test_a_lost_fraction_is_found(self) -> None:
        self.expect_failure("drops the fraction", drops_the_fraction)

    def test_a_lost_sign_is_found(self) -> None:
        self.expect_failure("drops the sign of a result below zero", drops_the_sign)

    def test_a_missing_value_is_tested(self) -> None:
        self.expect_failure("answers 200 if the value is missing", has_a_default)

    def test_a_wrong_value_is_tested(self) -> None:
        self.expect_failure("answers 500 if the value is no number", fails_for_a_word)
