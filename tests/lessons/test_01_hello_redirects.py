"""Lesson 01: sending the browser elsewhere (C073-C075)."""

import tornado.web
from tornado.testing import ExpectLog

from tests.support.lesson_case import RoutesHTTPTestCase, import_script

redirects = import_script("01_hello", "redirects")


class RedirectsTest(RoutesHTTPTestCase):
    def get_app(self) -> tornado.web.Application:
        return redirects.make_app()

    def test_a_redirect_is_for_now_unless_it_is_permanent(self) -> None:
        """C073, C074: RedirectHandler is permanent unless told otherwise."""
        for path, status in [("/latest", 302), ("/guestbook", 301)]:
            with self.subTest(path=path):
                response = self.get(path)
                self.assertEqual((response.code, response.headers["Location"]), (status, "/"))

    def test_redirect_handler_keeps_the_query(self) -> None:
        """C074"""
        self.assertEqual(self.get("/guestbook?page=2").headers["Location"], "/?page=2")

    def test_a_form_is_answered_by_303_and_then_a_page(self) -> None:
        """C073, C075"""
        response = self.post("/", "guest=Ada")
        self.assertEqual((response.code, response.headers["Location"]), (303, "/"))
        self.assertIn("Guests: Ada", self.text("/"))

    def test_the_page_escapes_what_guests_wrote(self) -> None:
        """C056, C075"""
        self.post("/", "guest=%3Cb%3E")
        self.assertIn("Guests: &lt;b&gt;", self.text("/"))

    def test_following_the_redirect_signs_once(self) -> None:
        """C075"""
        page = self.fetch("/", method="POST", body="guest=Ada").body.decode()
        self.assertIn("Guests: Ada</p>", page)


class NotARedirectHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.redirect("/", status=200)


class RedirectDetailsTest(RoutesHTTPTestCase):
    routes = (
        ("/status", NotARedirectHandler),
        ("/default", tornado.web.RedirectHandler, {"url": "/new"}),
        ("/capital", tornado.web.RedirectHandler, {"url": "/new", "Permanent": False}),
        (r"/to/(.*)", tornado.web.RedirectHandler, {"url": "/{0}"}),
    )

    def test_only_3xx_redirects(self) -> None:
        """C073"""
        with ExpectLog("tornado.application", "Uncaught exception"):
            self.assertEqual(self.get("/status").code, 500)

    def test_redirect_handler_is_permanent_by_default(self) -> None:
        """C074"""
        self.assertEqual(self.get("/default").code, 301)

    def test_permanent_with_a_capital_drops_the_connection(self) -> None:
        """C074"""
        with ExpectLog("tornado.application", "Uncaught exception"):
            self.assert_dropped("/capital")

    def test_a_path_cannot_choose_the_host(self) -> None:
        """C074: since Tornado 6.6."""
        self.assertEqual(self.get("/to/new").headers["Location"], "/new")
        message = "Redirect URL cannot change the scheme or netloc"
        with ExpectLog("tornado.general", f"400 GET .*{message}"):
            self.assertEqual(self.get("/to//example.com").code, 400)
