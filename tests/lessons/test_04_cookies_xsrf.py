"""Lesson 04: plain cookies (C136-C145)."""

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http.cookies import CookieError, Morsel
from typing import Any, ClassVar

import tornado.web
from tornado.testing import ExpectLog

from tests.lessons.cookie_case import CookieClientCase, cookies_set_by
from tests.support.lesson_case import RoutesHTTPTestCase, import_script, json_of

app = import_script("04_cookies_xsrf", "app")
plain_cookies = import_script("04_cookies_xsrf", "plain_cookies")

MOMENT = datetime(2031, 11, 11, 23, 59, 59, tzinfo=UTC)


class RoleTest(CookieClientCase):
    def get_app(self) -> tornado.web.Application:
        return app.make_app("a secret")

    def test_both_cookies_come_back_with_the_next_request(self) -> None:
        """C141: and not within the one that sets them."""
        nothing = {"plain says": "nothing", "signed says": "nothing"}
        self.assertEqual(json_of(self.get()), nothing)
        guest = {"plain says": "guest", "signed says": "guest"}
        self.assertEqual(json_of(self.get()), guest)

    def test_a_plain_cookie_is_whatever_the_visitor_types(self) -> None:
        """C145"""
        self.jar = {"plain": "admin", "signed": "admin"}
        said = json_of(self.get())
        self.assertEqual(said, {"plain says": "admin", "signed says": "nothing"})

    def test_both_are_kept_from_scripts_and_from_other_sites(self) -> None:
        """C137"""
        for name, cookie in cookies_set_by(self.get()).items():
            with self.subTest(name):
                self.assertTrue(cookie["httponly"])
                self.assertEqual((cookie["samesite"], cookie["path"]), ("Lax", "/"))


class PlainCookiesTest(CookieClientCase):
    def get_app(self) -> tornado.web.Application:
        return plain_cookies.make_app()

    def set(self, kind: str) -> Morsel[str]:
        response = self.post(f"/set/{kind}")
        self.assertEqual((response.code, response.headers["Location"]), (303, "/"))
        return cookies_set_by(response)[kind]

    def test_the_page_shows_what_came(self) -> None:
        """C136"""
        self.jar = {"flavour": "<oat>"}
        for path in ("/", "/shop"):
            self.assertIn(b"<code>flavour = &lt;oat&gt;</code>", self.get(path).body)

    def test_each_argument_becomes_an_attribute(self) -> None:
        """C137"""
        expected: dict[str, dict[str, object]] = {
            "session": {},
            "date": {"expires": "Tue, 19 Jan 2038 00:00:00 GMT"},
            "seconds": {"max-age": "60"},
            "shop": {"path": "/shop"},
            "foreign": {"domain": "example.com"},
            "hidden": {"httponly": True},
            "tls": {"secure": True},
            "strict": {"samesite": "Strict"},
        }
        for kind, attributes in expected.items():
            with self.subTest(kind):
                cookie = self.set(kind)
                given = {name: value for name, value in cookie.items() if value}
                self.assertEqual(given, {"path": "/"} | attributes)
                self.assertEqual(cookie.value, "tasty")

    def test_days_are_counted_from_now(self) -> None:
        """C137"""
        expires = parsedate_to_datetime(self.set("days")["expires"])
        self.assertLess(abs(expires - datetime.now(UTC) - timedelta(days=20)), timedelta(minutes=1))

    def test_clearing_sets_it_again_empty_and_expired(self) -> None:
        """C143: with the path that it was set with."""
        for kind in plain_cookies.KINDS:
            with self.subTest(kind):
                path = self.set(kind)["path"]
                cleared = cookies_set_by(self.post(f"/clear/{kind}"))[kind]
                self.assertEqual((cleared.value, cleared["path"]), ("", path))
                self.assertLess(parsedate_to_datetime(cleared["expires"]), datetime.now(UTC))

    def test_a_kind_that_does_not_exist_is_404(self) -> None:
        self.assertEqual(self.post("/set/chocolate").code, 404)


class ExpiresHandler(tornado.web.RequestHandler):
    forms: ClassVar[dict[str, float | tuple[Any, ...] | datetime]] = {
        "number": MOMENT.timestamp(),
        "tuple": MOMENT.timetuple(),
        "aware": MOMENT,
        "naive": MOMENT.replace(tzinfo=None),
        "other-zone": MOMENT.astimezone(),
    }

    def get(self, form: str) -> None:
        self.set_cookie("flavour", "oat", expires=self.forms[form], expires_days=1)


class RawSetHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        arguments: dict[str, Any] = {
            name: self.get_query_argument(name) for name in self.request.arguments
        }
        self.set_cookie(**{"name": "flavour", "value": "oat"} | arguments)


class SameRequestHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.set_cookie("flavour", "new")
        self.write({"flavour": self.get_cookie("flavour")})


class CarelessHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.write(self.get_cookie("flavour"))  # type: ignore[arg-type]  # the mistake


class DefaultHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.write(self.get_cookie("flavour", "none"))


class ClearAllHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.clear_all_cookies()


class ClearWithHandler(tornado.web.RequestHandler):
    def get(self, argument: str) -> None:
        self.clear_cookie("flavour", **{argument: 1})


class MaxAgeHandler(tornado.web.RequestHandler):
    def get(self, seconds: str) -> None:
        self.set_cookie("flavour", "oat", max_age=int(seconds))


class CookieDetailsTest(RoutesHTTPTestCase):
    routes = (
        (r"/max-age/(\d+)", MaxAgeHandler),
        (r"/expires/(.+)", ExpiresHandler),
        ("/set", RawSetHandler),
        ("/same", SameRequestHandler),
        ("/careless", CarelessHandler),
        ("/default", DefaultHandler),
        ("/clear-all", ClearAllHandler),
        (r"/clear-with/(\w+)", ClearWithHandler),
    )

    def test_expires_takes_a_number_a_tuple_or_a_datetime_all_utc(self) -> None:
        """C138, C139: and wins over expires_days."""
        for form in ExpiresHandler.forms:
            with self.subTest(form):
                cookie = cookies_set_by(self.get(f"/expires/{form}"))["flavour"]
                self.assertEqual(cookie["expires"], "Tue, 11 Nov 2031 23:59:59 GMT")

    def test_a_max_age_of_0_is_dropped(self) -> None:
        """C137: it would mean "delete it"; clear_cookie() does that."""
        self.assertIn("Max-Age=60", self.get("/max-age/60").headers["Set-Cookie"])
        self.assertNotIn("Max-Age", self.get("/max-age/0").headers["Set-Cookie"])

    def test_a_space_in_the_value_is_refused(self) -> None:
        """C137: so is a semicolon in an attribute."""
        with ExpectLog("tornado.application", "Uncaught exception"):
            self.assertEqual(self.get("/set?value=oat%20milk").code, 500)
        with ExpectLog("tornado.application", "Uncaught exception"):
            self.assertEqual(self.get("/set?path=/;x").code, 500)

    def test_a_name_that_is_an_attribute_is_refused(self) -> None:
        """C137"""
        with ExpectLog("tornado.application", "Uncaught exception"):
            self.assertEqual(self.get("/set?name=path").code, 500)

    def test_an_argument_in_camel_case_warns(self) -> None:
        """C137"""
        request: Any = type("Request", (), {"connection": None, "headers": {}})()
        request.connection = type("C", (), {"set_close_callback": lambda self, callback: None})()
        handler = tornado.web.RequestHandler(tornado.web.Application(), request)
        with self.assertWarnsRegex(DeprecationWarning, "should be lowercase"):
            handler.set_cookie("flavour", "oat", HttpOnly=True)
        with self.assertRaises(ValueError):
            handler.set_cookie("flavour", "oat milk")
        with self.assertRaises(CookieError):
            handler.set_cookie("path", "oat")

    def test_within_a_request_the_old_value_is_seen(self) -> None:
        """C141"""
        response = self.get("/same", headers={"Cookie": "flavour=old"})
        self.assertEqual(json_of(response), {"flavour": "old"})
        self.assertEqual(cookies_set_by(response)["flavour"].value, "new")

    def test_a_cookie_that_is_not_there_is_none(self) -> None:
        """C142: which write() refuses."""
        with ExpectLog("tornado.application", "Uncaught exception"):
            self.assertEqual(self.get("/careless").code, 500)
        self.assertEqual(self.text("/default"), "none")

    def test_clearing_all_knows_only_what_came(self) -> None:
        """C144: a cookie for another path did not come, and stays."""
        response = self.get("/clear-all", headers={"Cookie": "a=1; b=2"})
        self.assertEqual(set(cookies_set_by(response)), {"a", "b"})
        self.assertNotIn("Set-Cookie", self.get("/clear-all").headers)

    def test_clearing_takes_no_end(self) -> None:
        """C143"""
        for argument in ("expires", "max_age"):
            with ExpectLog("tornado.application", "Uncaught exception"):
                self.assertEqual(self.get(f"/clear-with/{argument}").code, 500)


def test_a_naive_time_is_taken_for_utc_wherever_the_server_is() -> None:
    """C138, C140: at UTC+8 a local 23:59:59 is 15:59:59 GMT, which mktime or a zone gives."""
    code = """
import time
from datetime import datetime
from tornado.httputil import format_timestamp
local = time.strptime("2031-11-11 23:59:59", "%Y-%m-%d %H:%M:%S")
print(format_timestamp(local))
print(format_timestamp(datetime(2031, 11, 11, 23, 59, 59)))
print(format_timestamp(time.mktime(local)))
print(format_timestamp(datetime(2031, 11, 11, 23, 59, 59).astimezone()))
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"TZ": "XYZ-8"},
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    taken, naive, mktime, aware = done.stdout.splitlines()
    assert taken == naive == "Tue, 11 Nov 2031 23:59:59 GMT"
    assert mktime == aware == "Tue, 11 Nov 2031 15:59:59 GMT"
