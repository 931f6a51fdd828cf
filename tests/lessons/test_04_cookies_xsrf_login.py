"""Lesson 04: who is it, members only, in and out (C172-C180)."""

import gc
import re
from urllib.parse import urlencode

import pytest
import tornado.web
from tornado.httpclient import HTTPResponse
from tornado.testing import ExpectLog

from tests.lessons.cookie_case import CookieClientCase, cookies_set_by
from tests.support.lesson_case import RoutesHTTPTestCase, import_script, json_of

login = import_script("04_cookies_xsrf", "login")
sessions = import_script("04_cookies_xsrf", "sessions")

LOCAL = ["/", "/?tab=2", "/members/Zo%C3%AB", "/a//b", "/search?q=https://example.com/&x=50%"]
FOREIGN = [
    "",
    "https://evil.example/",
    "//evil.example",
    "///evil.example",
    "/\\evil.example",
    "\\/evil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    "/\x00/evil.example",
    "\t//evil.example",
    "https:evil.example",
    "javascript:alert(1)",
    "evil.example",
    "/members\r\nSet-Cookie: a=b",
]


class MembersTest(CookieClientCase):
    def get_app(self) -> tornado.web.Application:
        return login.make_app("a secret")

    def log_in(self, name: str, target: str | None = None) -> HTTPResponse:
        page = self.get("/login").body.decode()
        field = re.search(r'name="_xsrf" value="([^"]+)"', page)
        assert field
        form = {"_xsrf": field[1], "name": name} | ({} if target is None else {"next": target})
        return self.post("/login", urlencode(form))

    def test_a_stranger_is_led_to_the_login_with_the_way_back(self) -> None:
        """C172, C173: the address is quoted, query and all."""
        response = self.get("/?tab=2")
        self.assertEqual(response.code, 302)
        self.assertEqual(response.headers["Location"], "/login?next=%2F%3Ftab%3D2")

    def test_the_login_page_keeps_the_way_back(self) -> None:
        """C180"""
        page = self.get("/login?next=%2F%3Ftab%3D2").body
        self.assertIn(b'name="next" value="/?tab=2"', page)

    def test_a_member_is_led_back_and_greeted(self) -> None:
        """C175, C180"""
        response = self.log_in("ada", "/?tab=2")
        self.assertEqual((response.code, response.headers["Location"]), (303, "/?tab=2"))
        page = self.get("/?tab=2").body.decode()
        self.assertIn("Welcome, Ada Lovelace", page)

    def test_without_a_way_back_the_login_leads_to_the_first_page(self) -> None:
        """C180"""
        self.assertEqual(self.log_in("ada").headers["Location"], "/")

    def test_nobody_is_led_to_another_host(self) -> None:
        """C180"""
        for target in FOREIGN:
            with self.subTest(target):
                self.assertEqual(self.log_in("ada", target).headers["Location"], "/")

    def test_who_is_no_member_does_not_get_in(self) -> None:
        """C176"""
        self.assertEqual(self.log_in("eve").code, 403)
        self.assertEqual(self.get("/").code, 302)

    def test_a_member_who_has_left_is_nobody(self) -> None:
        """C176: the signature still holds."""
        signed = tornado.web.create_signed_value("a secret", "member", "zuse").decode()
        self.jar = {"member": signed}
        self.assertEqual(self.get("/").code, 302)

    def test_a_name_in_the_query_or_typed_as_a_cookie_is_no_login(self) -> None:
        """C178"""
        self.jar = {"member": "ada"}
        self.assertEqual(self.get("/?name=ada&member=ada").code, 302)

    def test_the_logout_deletes_the_cookie(self) -> None:
        """C143"""
        before = cookies_set_by(self.log_in("ada"))["member"]
        page = self.get("/").body.decode()
        token = re.search(r'name="_xsrf" value="([^"]+)"', page)
        assert token
        response = self.post("/logout", urlencode({"_xsrf": token[1]}))
        after = cookies_set_by(response)["member"]
        self.assertEqual((after.value, after["path"]), ("", before["path"]))
        self.assertEqual(response.headers["Location"], "/login")
        self.assertEqual(self.get("/").code, 302)

    def test_neither_a_get_nor_a_strange_page_logs_out(self) -> None:
        """C158"""
        self.log_in("ada")
        self.assertEqual(self.get("/logout").code, 405)
        self.assertEqual(self.post("/logout").code, 403)
        self.assertEqual(self.get("/").code, 200)


def test_a_path_of_this_site_is_told_from_all_else() -> None:
    """C180"""
    for target in LOCAL:
        assert login.local_path(target) == target
    for target in FOREIGN:
        assert login.local_path(target) == "/", repr(target)


class SessionsTest(CookieClientCase):
    def get_app(self) -> tornado.web.Application:
        return sessions.make_app("a secret")

    def test_the_user_is_looked_up_in_prepare(self) -> None:
        """C177"""
        self.assertEqual(json_of(self.get()), {"member": None})
        self.post("/login", "name=Ada")
        self.assertEqual(json_of(self.get()), {"member": "Ada"})

    def test_the_cookie_holds_an_id_and_nothing_else(self) -> None:
        """C155: 256 bits, another at each login."""
        ids = set()
        for _ in range(2):
            self.post("/login", "name=Ada")
            value = tornado.web.decode_signed_value("a secret", "session", self.jar["session"])
            assert value
            ids.add(value)
        self.assertEqual([len(value) for value in ids], [43, 43])
        self.assertNotIn(b"Ada", b"".join(ids))

    def test_a_logout_ends_every_copy_of_the_cookie(self) -> None:
        """C154: of a cookie that says all by itself, a copy lives on."""
        self.post("/login", "name=Ada")
        copy = dict(self.jar)
        self.post("/logout")
        self.assertEqual(self.jar, {})
        self.jar = copy
        self.assertEqual(json_of(self.get()), {"member": None})


class UserHandler(tornado.web.RequestHandler):
    users = {  # noqa: RUF012, only read
        "None": None,
        "False": False,
        "0": 0,
        "empty-text": "",
        "empty-dict": {},
        "text": "ada",
        "dict": {"name": "ada"},
    }

    def get_current_user(self) -> object:
        self.settings["asked"].append(self.request.path)
        return self.users[self.path_args[0]]

    @tornado.web.authenticated
    def get(self, user: str) -> None:
        self.write({"user": self.current_user, "again": self.current_user})

    head = post = put = get


class LazyHandler(UserHandler):
    def get(self, user: str) -> None:
        self.write("never asked who it is")


class NobodyHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.write({"user": self.current_user})


class OtherDoorHandler(UserHandler):
    def get_login_url(self) -> str:
        return "https://login.example/"


class AsyncUserHandler(tornado.web.RequestHandler):
    async def get_current_user(self) -> None:
        return None

    @tornado.web.authenticated
    def get(self) -> None:
        self.write("let in")


class CurrentUserTest(RoutesHTTPTestCase):
    def get_app(self) -> tornado.web.Application:
        self.asked: list[str] = []
        return tornado.web.Application(
            [
                (r"/user/(.+)", UserHandler),
                (r"/lazy/(.+)", LazyHandler),
                (r"/other/(.+)", OtherDoorHandler),
                ("/nobody", NobodyHandler),
                ("/async", AsyncUserHandler),
            ],
            login_url="/login",
            asked=self.asked,
        )

    def test_whatever_is_false_is_nobody(self) -> None:
        """C176"""
        for user in UserHandler.users:
            with self.subTest(user):
                code = self.get(f"/user/{user}").code
                self.assertEqual(code, 200 if user in ("text", "dict") else 302)

    def test_head_is_led_to_the_login_as_get_is(self) -> None:
        """C173"""
        response = self.fetch("/user/None", method="HEAD", follow_redirects=False)
        self.assertEqual(response.code, 302)
        self.assertEqual(response.headers["Location"], "/login?next=%2Fuser%2FNone")

    def test_other_http_methods_are_refused_and_not_redirected(self) -> None:
        """C174"""
        for verb in ("POST", "PUT"):
            response = self.fetch("/user/None", method=verb, body="", follow_redirects=False)
            self.assertEqual(response.code, 403)
            self.assertNotIn("Location", response.headers)

    def test_the_user_is_asked_for_once_and_only_when_needed(self) -> None:
        """C175"""
        self.get("/user/text")
        self.get("/lazy/text")
        self.assertEqual(self.asked, ["/user/text"])

    def test_by_default_nobody_is_logged_in(self) -> None:
        """C175"""
        self.assertEqual(json_of(self.get("/nobody")), {"user": None})

    def test_the_login_may_be_elsewhere(self) -> None:
        """C179: then the way back is an address, not a path."""
        location = self.get("/other/None").headers["Location"]
        self.assertRegex(location, r"^https://login\.example/\?next=http%3A%2F%2F127.0.0.1%3A\d+")

    @pytest.mark.filterwarnings("ignore:coroutine .* was never awaited")
    @pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
    def test_a_coroutine_lets_everybody_in(self) -> None:
        """C177"""
        self.assertEqual(self.text("/async"), "let in")
        gc.collect()  # while the warning is ignored


class NoLoginURLTest(RoutesHTTPTestCase):
    def get_app(self) -> tornado.web.Application:
        return tornado.web.Application([(r"/user/(.+)", UserHandler)], asked=[])

    def test_without_a_login_url_a_stranger_makes_a_500(self) -> None:
        """C179"""
        with ExpectLog("tornado.application", "Uncaught exception"):
            self.assertEqual(self.get("/user/None").code, 500)


class CarelessLoginHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.redirect(self.get_argument("next", "/") + "?name=logined")


class CarelessLoginTest(RoutesHTTPTestCase):
    routes = (("/login", CarelessLoginHandler),)

    def test_the_login_of_older_tutorials_leads_anywhere(self) -> None:
        """C180: and breaks an address that has a query."""
        for target, location in {
            "https://evil.example/": "https://evil.example/?name=logined",
            "/profile?tab=2": "/profile?tab=2?name=logined",
        }.items():
            response = self.get(f"/login?{urlencode({'next': target})}")
            self.assertEqual(response.headers["Location"], location)


def test_settings_are_keyword_arguments() -> None:
    """C179: a tutorial writes them as in a dict."""
    with pytest.raises(SyntaxError):
        compile('tornado.web.Application([], "login_url":"/login")', "tutorial", "eval")


class CountInCookieHandler(tornado.web.RequestHandler):
    """Counts wrong passwords in a signed cookie, as the small login of the further reading does."""

    def get(self) -> None:
        wrong = int(self.get_signed_cookie("incorrect") or 0) + 1
        self.set_signed_cookie("incorrect", str(wrong))
        self.write(str(wrong))


class CountInCookieTest(CookieClientCase):
    def get_app(self) -> tornado.web.Application:
        return tornado.web.Application([("/", CountInCookieHandler)], cookie_secret="secret")

    def test_a_visitor_starts_the_count_again_with_an_older_cookie(self) -> None:
        """C181: the signature says that the value is of this server, not that it is the newest."""
        self.assertEqual(self.get("/").body, b"1")
        older = self.jar["incorrect"]
        self.assertEqual([self.get("/").body for _ in range(3)], [b"2", b"3", b"4"])
        self.jar["incorrect"] = older
        self.assertEqual(self.get("/").body, b"2")
