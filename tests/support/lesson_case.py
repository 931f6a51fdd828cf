"""The base of the lessons' test cases: an application, and short ways to send requests."""

import importlib
import json
import sys
import unittest
from collections.abc import Callable
from typing import Any, Protocol

import pytest
import tornado.web
from tornado.httpclient import HTTPResponse
from tornado.testing import AsyncHTTPTestCase

from tests.support.lesson_pages import LESSONS_FOLDER


class Script(Protocol):
    """The module of a script. Each script has further names of its own."""

    make_app: Callable[..., tornado.web.Application]

    def __getattr__(self, name: str, /) -> Any:
        """Return any other name of the module."""


def import_script(lesson: str, name: str) -> Script:
    """Import a script by the name of its lesson, which begins with a digit.

    The script can import the files beside it, as when it is started.
    """
    folder = str(LESSONS_FOLDER / lesson)
    if folder not in sys.path:
        sys.path.append(folder)
    # Several lessons have an app.py, so a cached one may be that of another lesson. That of lesson
    # 01 serves as soon as it is imported.
    sys.modules.pop("app", None)
    sys.path.insert(0, folder)
    try:
        return importlib.import_module(f"lessons.{lesson}.{name}")
    finally:
        sys.path.remove(folder)


class LogTestCase(unittest.TestCase):
    """Keeps pytest's record of the log as `caplog`."""

    @pytest.fixture(autouse=True)
    def keep_the_log(self, caplog: pytest.LogCaptureFixture) -> None:
        """Take the fixture, which a method of a test case cannot have as a parameter."""
        self.caplog = caplog


class RoutesHTTPTestCase(LogTestCase, AsyncHTTPTestCase):
    """Serves the routes of the class attribute `routes`."""

    routes: tuple[Any, ...]

    def get_app(self) -> tornado.web.Application:
        """Return an application with the routes."""
        return tornado.web.Application(list(self.routes))

    def get(self, path: str, **options: Any) -> HTTPResponse:
        """Send a GET request; redirects are returned."""
        return self.fetch(path, follow_redirects=False, **options)

    def post(self, path: str, body: str | bytes = b"", **options: Any) -> HTTPResponse:
        """Send a POST request; redirects are returned."""
        return self.fetch(path, method="POST", body=body, follow_redirects=False, **options)

    def text(self, path: str) -> str:
        """Return the body of the answer to a GET request, whose status must be 200."""
        response = self.get(path)
        assert response.code == 200, response
        return response.body.decode()

    def assert_dropped(self, path: str) -> None:
        """Check that the server closes the connection without a response."""
        with self.assertRaisesRegex(Exception, "Connection closed|Stream closed"):
            self.get(path)


def json_of(response: HTTPResponse) -> Any:
    """Return the JSON body of a response."""
    return json.loads(response.body)
