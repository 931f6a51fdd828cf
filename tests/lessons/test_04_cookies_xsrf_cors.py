"""Lesson 04: an API for the pages of one other origin (C331)."""

import tornado.web
from tornado.httpclient import HTTPResponse
from tornado.testing import AsyncHTTPTestCase

from tests.support.lesson_case import import_script, json_of

cors = import_script("04_cookies_xsrf", "cors")
SHOP = "https://shop.example"
JSON = {"Content-Type": "application/json"}


class CorsTest(AsyncHTTPTestCase):
    def get_app(self) -> tornado.web.Application:
        return cors.make_app(SHOP)

    def ask(self, method: str, origin: str, body: str | None = None) -> HTTPResponse:
        return self.fetch(
            "/lamp",
            method=method,
            body=body,
            headers={"Origin": origin, "Cookie": "member=ada", **JSON},
            allow_nonstandard_methods=True,
        )

    def test_the_allowed_origin_is_named_also_in_an_error(self) -> None:
        """C331"""
        for method, body, code in [
            ("GET", None, 200),
            ("PUT", '{"lamp": "on"}', 200),
            ("PUT", "on", 400),
            ("PUT", '["on"]', 400),
            ("OPTIONS", None, 204),
            ("POST", "", 405),
        ]:
            with self.subTest(method=method, body=body):
                response = self.ask(method, SHOP, body)
                self.assertEqual(response.code, code)
                self.assertEqual(response.headers["Access-Control-Allow-Origin"], SHOP)
                self.assertEqual(response.headers["Access-Control-Allow-Credentials"], "true")
                self.assertEqual(response.headers["Vary"], "Origin")
        self.assertEqual(json_of(self.ask("GET", SHOP)), {"lamp": "on", "member": "ada"})

    def test_no_other_origin_is_allowed(self) -> None:
        for origin in (f"{SHOP}.evil.example", "http://shop.example", "null", ""):
            with self.subTest(origin=origin):
                for method in ("GET", "OPTIONS"):
                    headers = self.ask(method, origin).headers
                    self.assertNotIn("Access-Control-Allow-Origin", headers)
                    self.assertEqual(headers["Vary"], "Origin")

    def test_the_preflight_names_the_methods_and_the_headers(self) -> None:
        headers = self.ask("OPTIONS", SHOP).headers
        self.assertEqual(headers["Access-Control-Allow-Methods"], "GET, PUT")
        self.assertEqual(headers["Access-Control-Allow-Headers"], "Content-Type")

    def test_cors_does_not_stop_a_request(self) -> None:
        """C331: the handler runs for another origin, too; only its response is hidden."""
        self.ask("PUT", "https://evil.example", '{"lamp": "broken"}')
        self.assertEqual(json_of(self.ask("GET", SHOP))["lamp"], "broken")
