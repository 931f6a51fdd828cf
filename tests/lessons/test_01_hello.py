"""Lesson 01: what Tornado is, the smallest application, and its HTTP methods (C001-C016)."""

import subprocess
import sys
from pathlib import Path
from urllib.request import urlopen
from wsgiref.types import StartResponse, WSGIEnvironment

import tornado
import tornado.httpserver
import tornado.web
import tornado.wsgi
from tornado.testing import AsyncHTTPTestCase

from tests.support.lesson_case import RoutesHTTPTestCase, import_script
from tests.support.script_server import serving

make_app = import_script("01_hello", "make_app")

METHODS = ["GET", "HEAD", "POST", "DELETE", "PATCH", "PUT", "OPTIONS"]


class HelloTest(AsyncHTTPTestCase):
    def get_app(self) -> tornado.web.Application:
        return make_app.make_app()

    def test_the_smallest_app_says_hello(self) -> None:
        """C011: a test calls make_app() and starts no script."""
        response = self.fetch("/")
        self.assertEqual(response.code, 200)
        self.assertEqual(response.body, b"Hello, world\n")

    def test_an_http_method_without_a_python_method_is_405(self) -> None:
        """C012, C013: also HEAD and OPTIONS, and no Allow header tells what would work."""
        for method in METHODS[1:]:
            with self.subTest(method=method):
                response = self.fetch("/", method=method, allow_nonstandard_methods=True)
                self.assertEqual(response.code, 405)
                self.assertNotIn("Allow", response.headers)


class EveryMethodHandler(tornado.web.RequestHandler):
    def answer(self) -> None:
        self.set_header("X-Method", self.request.method)

    get = head = post = delete = patch = put = options = answer


class PreparedHandler(tornado.web.RequestHandler):
    def prepare(self) -> None:
        self.settings["prepared"].append(self.request.method)


class HttpMethodsTest(RoutesHTTPTestCase):
    def get_app(self) -> tornado.web.Application:
        self.prepared: list[str] = []
        return tornado.web.Application(
            [("/every", EveryMethodHandler), ("/prepared", PreparedHandler)], prepared=self.prepared
        )

    def test_each_http_method_calls_the_python_method_of_its_name(self) -> None:
        """C014"""
        for method in METHODS:
            with self.subTest(method=method):
                response = self.fetch("/every", method=method, allow_nonstandard_methods=True)
                self.assertEqual((response.code, response.headers["X-Method"]), (200, method))

    def test_an_unknown_http_method_is_405(self) -> None:
        """C014"""
        response = self.fetch("/every", method="BREW", allow_nonstandard_methods=True)
        self.assertEqual(response.code, 405)

    def test_prepare_runs_before_the_405(self) -> None:
        """C013"""
        self.assertEqual(self.get("/prepared").code, 405)
        self.assertEqual(self.prepared, ["GET"])


class ColourHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.write(self.settings["colour"])


class ApplicationTest(RoutesHTTPTestCase):
    def get_app(self) -> tornado.web.Application:
        return tornado.web.Application([("/colour", ColourHandler)], colour="teal")

    def test_an_application_holds_routes_and_settings(self) -> None:
        """C016"""
        self.assertEqual(self.text("/colour"), "teal")


class WSGITest(AsyncHTTPTestCase):
    def get_app(self) -> tornado.web.Application:
        return tornado.web.Application()  # nobody asks it

    def get_http_server(self) -> tornado.httpserver.HTTPServer:
        def hosted(environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
            start_response("200 OK", [("Content-Type", "text/plain")])
            return [f"WSGI at {environ['PATH_INFO']}".encode()]

        return tornado.httpserver.HTTPServer(tornado.wsgi.WSGIContainer(hosted))

    def test_a_wsgi_application_can_be_hosted(self) -> None:
        """C004: the other way round is gone."""
        self.assertEqual(self.fetch("/old").body, b"WSGI at /old")
        self.assertFalse(hasattr(tornado.wsgi, "WSGIAdapter"))
        self.assertFalse(hasattr(tornado.wsgi, "WSGIApplication"))


def test_the_course_runs_on_a_tornado_and_a_python_that_are_new_enough() -> None:
    """C007"""
    assert tornado.version_info >= (6, 6)
    assert sys.version_info >= (3, 11)


def test_python_2_samples_do_not_compile() -> None:
    """C008"""
    done = subprocess.run(
        [sys.executable, "-c", "print 'Hello'"], capture_output=True, encoding="utf-8"
    )
    assert "SyntaxError: Missing parentheses in call to 'print'" in done.stderr


def test_two_underscores_only_change_the_name() -> None:
    """C009"""

    class Account:
        __balance = 7

    assert Account._Account__balance == 7  # type: ignore[attr-defined]


def test_the_ending_of_older_tutorials_still_serves(tmp_path: Path) -> None:
    """C010: IOLoop.current() before the loop runs is deprecated, asyncio.run() is today's way."""
    old = tmp_path / "old.py"
    old.write_text(
        "import sys, tornado.ioloop, tornado.web\n"
        "class Hello(tornado.web.RequestHandler):\n"
        "    def get(self):\n"
        "        self.write('old but alive')\n"
        "        tornado.ioloop.IOLoop.current().add_callback(loop.stop)\n"
        "port = int(sys.argv[1].removeprefix('--port='))\n"
        "tornado.web.Application([('/', Hello)]).listen(port)\n"
        "loop = tornado.ioloop.IOLoop.current()\n"
        "print(f'Open http://localhost:{port}')\n"
        "loop.start()\n",
        encoding="utf-8",
    )
    with serving(old) as server:
        with urlopen(server.url, timeout=30) as response:
            assert response.read() == b"old but alive"
        assert server.wait() == 0
