"""What the lessons' test cases share: an application of one's own, and short ways to ask it."""

import importlib
import json
import sys
import types
from typing import Any

import tornado.web
from tornado.httpclient import HTTPResponse
from tornado.testing import AsyncHTTPTestCase

from tests.lessons.prose import LESSONS_FOLDER


def script(lesson: str, name: str) -> types.ModuleType:
    """Import a script; the names of the lessons begin with a digit, so `import` cannot.

    As when it is started, it finds what lies beside it.
    """
    folder = str(LESSONS_FOLDER / lesson)
    if folder not in sys.path:
        sys.path.append(folder)
    return importlib.import_module(f"lessons.{lesson}.{name}")


class RoutesTestCase(AsyncHTTPTestCase):
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
