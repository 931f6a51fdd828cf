"""Each row of "What the next versions of Tornado change" in MIGRATING.md, on this Tornado."""

import asyncio
import logging
import re
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import Any

import pytest
import tornado.auth
import tornado.httputil
import tornado.testing
import tornado.util
import tornado.web
import tornado.websocket
import tornado.wsgi

from tests.support.lesson_pages import ROOT

PAGE = (ROOT / "lessons" / "MIGRATING.md").read_text(encoding="utf-8")
SECTION = PAGE.partition("## What the next versions of Tornado change")[2]
WARNINGS: list[str] = re.findall(r"\| `([^`]+)` \|$", SECTION, re.M)
WITHOUT_WARNING = 2


class Provider(tornado.web.RequestHandler, tornado.auth.OAuth2Mixin):
    _OAUTH_AUTHORIZE_URL = "http://localhost/authorize"

    def redirect(self, url: str, permanent: bool = False, status: int | None = None) -> None:
        """Send nothing: there is no client."""


def make_handler(kind: type[tornado.web.RequestHandler]) -> Any:
    class Connection:
        def set_close_callback(self, callback: Callable[[], None]) -> None:
            pass

    return kind(tornado.web.Application(), request(start_line=START_LINE, connection=Connection()))


def connect_with_callback() -> None:
    async def connect() -> None:
        ended: Future[Any] = Future()
        connection = tornado.websocket.websocket_connect("ws://127.0.0.1:1", ended.set_result)
        with pytest.raises(OSError):
            await connection
        await asyncio.sleep(0)

    asyncio.run(connect())


def run_with_old_loop() -> None:
    class Case(tornado.testing.AsyncTestCase):
        def get_new_ioloop(self) -> Any:
            return super().get_new_ioloop()

        def test_nothing(self) -> None:
            pass

    case = Case("test_nothing")
    case.setUp()
    case.tearDown()


def expect_an_info_line() -> None:
    log = logging.getLogger("a.log")
    log.setLevel(logging.INFO)
    with tornado.testing.ExpectLog(log, "a line"):
        log.info("a line")


def request(**arguments: Any) -> tornado.httputil.HTTPServerRequest:
    return tornado.httputil.HTTPServerRequest(**arguments)


START_LINE = tornado.httputil.RequestStartLine("GET", "/", "HTTP/1.0")
OLD: dict[str, Callable[[], object]] = {
    "The method, uri, and version": lambda: request(method="GET", uri="/"),
    "The start_line argument": request,
    "The host argument": lambda: request(start_line=START_LINE, host="localhost"),
    "OpenIdMixin": tornado.auth.OpenIdMixin,
    "Deprecated arguments to set_cookie": lambda: make_handler(
        tornado.web.RequestHandler
    ).set_cookie("a", "b", HttpOnly=True),
    "The callback argument to websocket_connect": connect_with_callback,
    "client_secret": lambda: make_handler(Provider).authorize_redirect(client_secret="secret"),
    "GzipDecompressor.decompress": lambda: tornado.util.GzipDecompressor().decompress(b""),
    "get_new_ioloop": run_with_old_loop,
    "ExpectLog matched": expect_an_info_line,
}


@pytest.fixture(autouse=True)
def _no_loop_is_left() -> Iterator[None]:
    yield
    asyncio.set_event_loop(None)


@pytest.mark.parametrize("warning", WARNINGS)
def test_the_old_form_warns_with_the_words_of_the_page(warning: str) -> None:
    (old,) = [function for words, function in OLD.items() if warning.startswith(words)]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        old()
    messages = [str(each.message) for each in caught if each.category is DeprecationWarning]
    assert [message for message in messages if message.startswith(warning)]


def test_every_row_has_a_test() -> None:
    assert len(WARNINGS) == len(OLD)
    assert SECTION.count("| none |") == WITHOUT_WARNING


def test_without_a_warning_a_header_line_may_end_with_lf_alone() -> None:
    assert tornado.httputil.HTTPHeaders.parse("A: 1\nB: 2\n") == {"A": "1", "B": "2"}


def test_without_a_warning_wsgi_runs_on_the_event_loop() -> None:
    container = tornado.wsgi.WSGIContainer(lambda environ, start_response: [])
    assert type(container.executor).__name__ == "DummyExecutor"
