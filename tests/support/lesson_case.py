"""What the lessons' test cases share: an application of one's own, and short ways to ask it."""

import importlib
import json
import sys
from collections.abc import Callable
from typing import Any, Protocol

import tornado.web
from tornado.httpclient import HTTPResponse
from tornado.testing import AsyncHTTPTestCase

from tests.support.lesson_pages import LESSONS_FOLDER


class Script(Protocol):
    """The module of a script, of which each has its own names besides these."""

    make_app: Callable[..., tornado.web.Application]

    def __getattr__(self, name: str, /) -> Any: ...


def import_script(lesson: str, name: str) -> Script:
    """Import a script; the names of the lessons begin with a digit, so `import` cannot.

    As when it is started, it finds what lies beside it.
    """
    folder = str(LESSONS_FOLDER / lesson)
    if folder not in sys.path:
        sys.path.append(folder)
    # Several lessons have an app.py; that of lesson 01 serves as soon as it is imported.
    sys.modules.pop("app", None)
    sys.path.insert(0, folder)
    try:
        return importlib.import_module(f"lessons.{lesson}.{name}")
    finally:
        sys.path.remove(folder)


class RoutesHTTPTestCase(AsyncHTTPTestCase):
    """Serves the routes that the class names."""

    routes: tuple[Any, ...]

    def get_app(self) -> tornado.web.Application:
        return tornado.web.Application(list(self.routes))

    def get(self, path: str, **options: Any) -> HTTPResponse:
        return self.fetch(path, follow_redirects=False, **options)

    def post(self, path: str, body: str | bytes = b"", **options: Any) -> HTTPResponse:
        return self.fetch(path, method="POST", body=body, follow_redirects=False, **options)

    def text(self, path: str) -> str:
        """The body of a GET, which has to succeed."""
        response = self.get(path)
        assert response.code == 200, response
        return response.body.decode()

    def assert_dropped(self, path: str) -> None:
        """The connection ends without a response."""
        with self.assertRaisesRegex(Exception, "Connection closed|Stream closed"):
            self.get(path)


def json_of(response: HTTPResponse) -> Any:
    return json.loads(response.body)
