"""Lesson 01: what a handler can send (C047-C057)."""

from typing import ClassVar

import tornado.web
from tornado.testing import AsyncHTTPTestCase, ExpectLog

from tests.support.lesson_case import RoutesHTTPTestCase, import_script, json_of

response_output = import_script("01_hello", "response_output")


class ResponseOutputTest(AsyncHTTPTestCase):
    def get_app(self) -> tornado.web.Application:
        return response_output.make_app()

    def test_write_appends_and_is_sent_as_html(self) -> None:
        """C047"""
        response = self.fetch("/")
        self.assertEqual(
            response.body,
            b"Each call of write() adds to the response. Tornado sends it at the end.\n",
        )
        self.assertEqual(response.headers["Content-Type"], "text/html; charset=UTF-8")

    def test_a_page_that_did_not_change_is_304(self) -> None:
        """C047: the Etag is made of the body."""
        etag = self.fetch("/").headers["Etag"]
        response = self.fetch("/", headers={"If-None-Match": etag})
        self.assertEqual((response.code, response.body), (304, b""))

    def test_a_dict_is_json(self) -> None:
        """C048"""
        response = self.fetch("/object")
        self.assertEqual(json_of(response), {"planet": "Mars", "moons": 2})
        self.assertEqual(response.headers["Content-Type"], "application/json; charset=UTF-8")

    def test_hand_made_json_sets_its_own_content_type(self) -> None:
        """C049"""
        response = self.fetch("/list")
        self.assertEqual(json_of(response), ["Phobos", "Deimos"])
        self.assertEqual(response.headers["Content-Type"], "application/json")

    def test_status_and_headers_are_set(self) -> None:
        """C050, C052"""
        response = self.fetch("/created", method="POST", body="", follow_redirects=False)
        self.assertEqual((response.code, response.headers["Location"]), (201, "/object"))

    def test_flush_sends_chunks(self) -> None:
        """C053: the length is not known beforehand, so there is no Etag either."""
        response = self.fetch("/stream")
        self.assertEqual(response.body, b"3\n2\n1\n")
        self.assertEqual(response.headers["Transfer-Encoding"], "chunked")
        self.assertNotIn("Etag", response.headers)

    def test_input_is_escaped_by_hand(self) -> None:
        """C056"""
        body = self.fetch("/escape?name=%3Cscript%3E").body
        self.assertEqual(body, b"<p>Hello, &lt;script&gt;</p>\n")


class WriteHandler(tornado.web.RequestHandler):
    values = {"list": [1], "int": 1, "None": None}  # noqa: RUF012, only read

    def get(self, kind: str) -> None:
        self.write(self.values[kind])  # type: ignore[arg-type]  # the mistake


class DictHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.set_header("Content-Type", "text/plain")
        self.write({"html": "</script>"})


class TextJsonHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.write("[1, 2]")


class HeadersHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.set_header("X-Set", "one")
        self.set_header("X-Set", "two")
        self.add_header("X-Added", "one")
        self.add_header("X-Added", "two")
        self.set_header("X-Cleared", "one")
        self.clear_header("X-Cleared")


class NewlineHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.set_header("X-Next", "one\r\nX-Injected: two")


class DefaultHeadersHandler(tornado.web.RequestHandler):
    def set_default_headers(self) -> None:
        self.settings["order"].append("set_default_headers")
        self.set_header("X-Default", "default")

    def initialize(self) -> None:
        self.settings["order"].append("initialize")

    def get(self) -> None:
        self.set_header("X-Default", "of the method")

    def post(self) -> None:
        self.set_header("X-Default", "of the method")
        raise tornado.web.HTTPError(409)


class StatusHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.set_status(211, self.get_query_argument("reason", None))


class LateHeaderHandler(tornado.web.RequestHandler):
    async def get(self) -> None:
        self.write("first, ")
        await self.flush()
        self.set_header("X-Late", "lost")
        self.write("second")


class FinishHandler(tornado.web.RequestHandler):
    chunks: ClassVar[dict[str, str | bytes | dict[str, int]]] = {
        "str": "text",
        "bytes": b"bytes",
        "dict": {"a": 1},
    }

    def get(self, kind: str) -> None:
        self.finish(self.chunks[kind])


class FinishTwiceHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.finish("once")
        self.finish("twice")


class ApplicationNameHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        assert self.settings is self.application.settings
        self.write({"Application": hasattr(self, "Application")})


class RawHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.write(self.get_query_argument("text"))


class CountingHandler(tornado.web.RequestHandler):
    def initialize(self) -> None:
        self.count = 0

    def get(self) -> None:
        self.count += 1
        self.write({"count": self.count})


class OutputDetailsTest(RoutesHTTPTestCase):
    def get_app(self) -> tornado.web.Application:
        self.order: list[str] = []
        return tornado.web.Application(
            [
                (r"/write/(\w+)", WriteHandler),
                ("/dict", DictHandler),
                ("/text-json", TextJsonHandler),
                ("/headers", HeadersHandler),
                ("/newline", NewlineHandler),
                ("/default-headers", DefaultHeadersHandler),
                ("/status", StatusHandler),
                ("/late-header", LateHeaderHandler),
                (r"/finish/(\w+)", FinishHandler),
                ("/finish-twice", FinishTwiceHandler),
                ("/application", ApplicationNameHandler),
                ("/raw", RawHandler),
                ("/count", CountingHandler),
            ],
            order=self.order,
        )

    def test_a_list_a_number_or_none_cannot_be_written(self) -> None:
        """C047: a TypeError, so the client gets a 500."""
        for kind in WriteHandler.values:
            with self.subTest(kind=kind), ExpectLog("tornado.application", "Uncaught exception"):
                self.assertEqual(self.get(f"/write/{kind}").code, 500)

    def test_a_dict_replaces_the_content_type_and_escapes_closing_tags(self) -> None:
        """C048"""
        response = self.get("/dict")
        self.assertEqual(response.headers["Content-Type"], "application/json; charset=UTF-8")
        self.assertEqual(response.body, rb'{"html": "<\/script>"}')

    def test_json_text_stays_html_unless_told(self) -> None:
        """C049"""
        self.assertEqual(self.get("/text-json").headers["Content-Type"], "text/html; charset=UTF-8")

    def test_headers_are_replaced_repeated_and_removed(self) -> None:
        """C050"""
        headers = self.get("/headers").headers
        self.assertEqual(headers.get_list("X-Set"), ["two"])
        self.assertEqual(headers.get_list("X-Added"), ["one", "two"])
        self.assertNotIn("X-Cleared", headers)

    def test_a_newline_in_a_header_is_500(self) -> None:
        """C050"""
        with ExpectLog("tornado.application", "Uncaught exception"):
            response = self.get("/newline")
        self.assertEqual(response.code, 500)
        self.assertNotIn("X-Injected", response.headers)

    def test_default_headers_come_first_and_again_on_errors(self) -> None:
        """C051"""
        self.assertEqual(self.get("/default-headers").headers["X-Default"], "of the method")
        self.assertEqual(self.order, ["set_default_headers", "initialize"])
        self.assertEqual(self.post("/default-headers").headers["X-Default"], "default")

    def test_an_unknown_status_needs_no_reason(self) -> None:
        """C052"""
        for path, reason in [("/status", "Unknown"), ("/status?reason=Odd", "Odd")]:
            with self.subTest(path=path):
                response = self.get(path)
                self.assertEqual((response.code, response.reason), (211, reason))

    def test_a_header_after_flush_is_lost(self) -> None:
        """C053"""
        response = self.get("/late-header")
        self.assertEqual(response.body, b"first, second")
        self.assertNotIn("X-Late", response.headers)

    def test_finish_takes_a_last_chunk(self) -> None:
        """C054"""
        for kind, body in [("str", "text"), ("bytes", "bytes"), ("dict", '{"a": 1}')]:
            with self.subTest(kind=kind):
                self.assertEqual(self.text(f"/finish/{kind}"), body)

    def test_finishing_twice_is_an_error_in_the_log(self) -> None:
        """C054: the client has its answer already."""
        with ExpectLog("tornado.application", "Uncaught exception"):
            self.assertEqual(self.text("/finish-twice"), "once")

    def test_the_application_is_an_attribute_in_small_letters(self) -> None:
        """C055"""
        self.assertEqual(json_of(self.get("/application")), {"Application": False})

    def test_write_never_escapes(self) -> None:
        """C056"""
        self.assertEqual(self.text("/raw?text=%3Cb%3E"), "<b>")

    def test_each_request_gets_a_handler_of_its_own(self) -> None:
        """C057"""
        self.assertEqual([json_of(self.get("/count"))["count"] for _ in range(2)], [1, 1])
