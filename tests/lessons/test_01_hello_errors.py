"""Lesson 01: errors, on purpose and by accident (C066-C072)."""

from typing import Any

import tornado.web
from tornado.testing import AsyncHTTPTestCase, ExpectLog

from tests.support.lesson_case import RoutesHTTPTestCase, import_script

errors = import_script("01_hello", "errors")


class ErrorsTest(AsyncHTTPTestCase):
    def get_app(self) -> tornado.web.Application:
        return errors.make_app()

    def test_the_first_page_works(self) -> None:
        """C066"""
        self.assertEqual(self.fetch("/").body, b'{"moons": ["Phobos", "Deimos"]}')

    def test_an_http_error_has_a_text_for_the_log_and_a_reason_for_the_client(self) -> None:
        """C066"""
        with ExpectLog("tornado.general", "404 GET /moons/venus .*: asked for venus"):
            response = self.fetch("/moons/venus")
        self.assertEqual((response.code, response.reason), (404, "No such planet"))
        self.assertEqual(response.body, b"404 No such planet. Sorry.\n")

    def test_any_other_exception_is_500(self) -> None:
        """C066, C067: what was written before is thrown away."""
        with ExpectLog("tornado.application", "Uncaught exception GET /crash"):
            response = self.fetch("/crash")
        self.assertEqual(response.code, 500)
        self.assertEqual(response.body, b"500 Internal Server Error. Sorry.\n")

    def test_write_error_gets_the_arguments_of_send_error(self) -> None:
        """C068"""
        response = self.fetch("/landing")
        self.assertEqual(response.code, 503)
        self.assertEqual(response.body, b"503 Service Unavailable. Try again at low tide.\n")

    def test_a_path_without_a_route_gets_the_same_page(self) -> None:
        """C070"""
        response = self.fetch("/nowhere")
        self.assertEqual((response.code, response.body), (404, b"404 Not Found. Sorry.\n"))


class SendErrorHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.set_cookie("flavour", "oat")
        self.set_header("X-Before", "lost")
        self.write("lost")
        self.send_error(409, advice="ignored")


class FlushedHandler(tornado.web.RequestHandler):
    async def get(self) -> None:
        self.write("sent already")
        await self.flush()
        self.send_error(503)


class WriteAfterErrorHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.send_error(409)
        self.write("and more")


class ExcInfoHandler(tornado.web.RequestHandler):
    def get(self, how: str) -> None:
        if how == "raise":
            raise tornado.web.HTTPError(409)
        self.send_error(409)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        self.finish({"exc_info": "exc_info" in kwargs})


class TextCodeHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.send_error("404")  # type: ignore[arg-type]


class IndexedKeywordHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.send_error(409)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        self.finish(kwargs["advice"])


class TextComparedHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        raise tornado.web.HTTPError(404)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        self.finish({"is a number": status_code == 404})


class ErrorWithStatus200Handler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.send_error(200)


class ErrorDetailsTest(RoutesHTTPTestCase):
    routes = (
        ("/send-error", SendErrorHandler),
        ("/flushed", FlushedHandler),
        ("/write-after", WriteAfterErrorHandler),
        (r"/exc-info/(\w+)", ExcInfoHandler),
        ("/text-code", TextCodeHandler),
        ("/indexed", IndexedKeywordHandler),
        ("/number", TextComparedHandler),
        ("/status-200", ErrorWithStatus200Handler),
    )

    def test_send_error_drops_body_and_headers_but_not_cookies(self) -> None:
        """C067"""
        response = self.get("/send-error")
        self.assertEqual(response.code, 409)
        self.assertNotIn(b"lost", response.body)
        self.assertNotIn("X-Before", response.headers)
        self.assertEqual(response.headers["Set-Cookie"], "flavour=oat; Path=/")

    def test_after_flush_the_status_is_gone(self) -> None:
        """C067"""
        with ExpectLog("tornado.general", "Cannot send error response after headers written"):
            response = self.get("/flushed")
        self.assertEqual((response.code, response.body), (200, b"sent already"))

    def test_the_default_page_ignores_the_arguments(self) -> None:
        """C068"""
        self.assertEqual(
            self.get("/send-error").body,
            b"<html><title>409: Conflict</title><body>409: Conflict</body></html>",
        )

    def test_writing_after_send_error_only_reaches_the_log(self) -> None:
        """C069"""
        with ExpectLog("tornado.application", "Uncaught exception"):
            response = self.get("/write-after")
        self.assertEqual(response.code, 409)
        self.assertNotIn(b"and more", response.body)

    def test_exc_info_is_there_for_exceptions_only(self) -> None:
        """C070"""
        self.assertEqual(self.get("/exc-info/raise").body, b'{"exc_info": true}')
        self.assertEqual(self.get("/exc-info/send").body, b'{"exc_info": false}')

    def test_a_status_as_text_makes_a_500(self) -> None:
        """C071"""
        with ExpectLog("tornado.application", "Uncaught exception"):
            self.assertEqual(self.get("/text-code").code, 500)

    def test_write_error_gets_a_number(self) -> None:
        """C071"""
        self.assertEqual(self.get("/number").body, b'{"is a number": true}')

    def test_a_missing_keyword_in_write_error_makes_an_empty_page(self) -> None:
        """C071"""
        with ExpectLog("tornado.application", "Uncaught exception in write_error"):
            response = self.get("/indexed")
        self.assertEqual(response.body, b"")

    def test_an_error_with_status_200_looks_like_success(self) -> None:
        """C072"""
        response = self.get("/status-200")
        self.assertEqual(response.code, 200)
        self.assertIn(b"<title>200: OK</title>", response.body)
