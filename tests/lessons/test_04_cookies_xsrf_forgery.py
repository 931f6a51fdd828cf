"""Lesson 04: forged requests, tokens, origins (C157-C171). The browser's part: tests/browser/."""

import re
from typing import Any
from urllib.parse import urlencode

import tornado.escape
import tornado.template
import tornado.web
from tornado.httpclient import HTTPResponse
from tornado.httputil import url_concat
from tornado.testing import ExpectLog

from tests.lessons.cookie_case import CookieClientCase, cookies_set_by
from tests.support.lesson_case import import_script, json_of

attacker = import_script("04_cookies_xsrf", "attacker")
cross_origin = import_script("04_cookies_xsrf", "cross_origin")
xsrf_fetch = import_script("04_cookies_xsrf", "xsrf_fetch")
xsrf_form = import_script("04_cookies_xsrf", "xsrf_form")

JSON = {"Content-Type": "application/json"}
SAFE = ["GET", "HEAD", "OPTIONS"]
OTHERS = ["POST", "PUT", "DELETE", "PATCH"]


def field_of(response: HTTPResponse) -> str:
    """The token in the hidden field of a page."""
    field = re.search(
        r'<input type="hidden" name="_xsrf" value="([^"]+)"/>', response.body.decode()
    )
    assert field, response.body
    return field[1]


class BankTest(CookieClientCase):
    """What the browser sends on behalf of the attacker, sent by hand."""

    protection: dict[str, bool] = {}  # noqa: RUF012, only read
    forged = 303

    def get_app(self) -> tornado.web.Application:
        return attacker.make_app(**self.protection)

    def forge(self, sec_fetch_site: str = "same-site") -> int:
        headers = {"Origin": "http://localhost:9999", "Sec-Fetch-Site": sec_fetch_site}
        return self.post("/transfer", "to=Eve", headers=headers).code

    @property
    def account(self) -> list[tuple[str, str]]:
        account: list[tuple[str, str]] = self._app.settings["account"]
        return account

    def test_a_forged_form_is_paid_unless_protected(self) -> None:
        """C157, C160, C171: wherever it comes from."""
        self.get()
        for site in ("same-site", "cross-site"):
            self.assertEqual(self.forge(site), self.forged)
        self.assertEqual(len(self.account), 2 if self.forged == 303 else 0)

    def test_a_picture_is_paid_whatever_the_protection(self) -> None:
        """C157, C158: GET is not checked."""
        self.get()
        self.assertEqual(self.get("/transfer?to=Eve").code, 303)
        self.assertEqual(self.account, [("GET", "Eve")])

    def test_without_the_cookie_nobody_pays(self) -> None:
        """C157"""
        self.assertNotEqual(self.forge(), 303)
        self.assertEqual(self.account, [])

    def test_the_form_of_the_bank_works(self) -> None:
        """C157"""
        page = self.get()
        form = {"to": "Alan"}
        if b"_xsrf" in page.body:
            form["_xsrf"] = field_of(page)
        origin = f"http://127.0.0.1:{self.get_http_port()}"
        headers = {"Origin": origin, "Sec-Fetch-Site": "same-origin"}
        self.assertEqual(self.post("/transfer", urlencode(form), headers=headers).code, 303)
        self.assertEqual(self.account, [("POST", "Alan")])


class BankWithTokenTest(BankTest):
    protection = {"xsrf_cookies": True}  # noqa: RUF012, only read
    forged = 403


class BankWithOriginTest(BankTest):
    protection = {"cross_origin_protection": True}  # noqa: RUF012, only read
    forged = 403


class BankCookieTest(CookieClientCase):
    def get_app(self) -> tornado.web.Application:
        return attacker.make_app(samesite="None")

    def test_samesite_none_comes_with_secure(self) -> None:
        """C159: browsers refuse it otherwise."""
        cookie = cookies_set_by(self.get())["customer"]
        self.assertEqual((cookie["samesite"], cookie["secure"]), ("None", True))


class AttackersPageTest(CookieClientCase):
    def get_app(self) -> tornado.web.Application:
        app: tornado.web.Application = attacker.make_attacker_app("http://localhost:1")
        return app

    def test_it_holds_a_form_and_a_picture_and_no_token(self) -> None:
        """C157"""
        page = self.get().body.decode()
        self.assertIn('<form method="post" action="http://localhost:1/transfer">', page)
        self.assertIn('<img src="http://localhost:1/transfer?to=', page)
        self.assertNotIn("_xsrf", page)


class GuestBookTest(CookieClientCase):
    def get_app(self) -> tornado.web.Application:
        return xsrf_form.make_app()

    def sign(self, token: str | None, **options: Any) -> int:
        form = {"guest": "Ada"} | ({"_xsrf": token} if token else {})
        return self.post("/", urlencode(form), **options).code

    def test_the_token_is_in_the_page_and_in_a_cookie(self) -> None:
        """C164, C166: until the browser is closed; not signed, there is no secret."""
        page = self.get()
        cookie = cookies_set_by(page)["_xsrf"]
        self.assertEqual((cookie["expires"], cookie["max-age"]), ("", ""))
        self.assertEqual((cookie["samesite"], cookie["httponly"]), ("Lax", True))
        self.assertNotIn("cookie_secret", self._app.settings)
        self.assertEqual(self.sign(field_of(page)), 303)
        self.assertIn(b"<li>Ada</li>", self.get().body)

    def test_without_the_token_it_is_403_and_the_log_says_why(self) -> None:
        """C163"""
        with ExpectLog("tornado.general", ".*'_xsrf' argument missing from POST"):
            self.assertEqual(self.sign(None), 403)
        self.get()
        with ExpectLog("tornado.general", ".*'_xsrf' argument has invalid format"):
            self.assertEqual(self.sign("2|x"), 403)
        with ExpectLog("tornado.general", ".*XSRF cookie does not match POST argument"):
            self.assertEqual(self.sign("abcd"), 403)
        response = self.post("/", "guest=Ada")
        self.assertEqual(response.body.count(b"Forbidden"), 2)
        self.assertNotIn(b"_xsrf", response.body)

    def test_field_and_cookie_are_equal_on_the_first_page_only(self) -> None:
        """C165: afterwards the field is masked anew each time, and right all the same."""
        first = self.get()
        self.assertEqual(field_of(first), self.jar["_xsrf"])
        cookie = self.jar["_xsrf"]
        fields = {field_of(self.get()) for _ in range(3)}
        self.assertEqual(len(fields | {field_of(first)}), 4)
        self.assertEqual(self.jar["_xsrf"], cookie)
        for field in fields:
            self.assertEqual(self.sign(field), 303)

    def test_the_token_of_another_visitor_does_not_fit(self) -> None:
        """C163"""
        eves = field_of(self.get())
        self.jar.clear()
        self.get()
        self.assertEqual(self.sign(eves), 403)

    def test_who_can_set_the_cookie_can_make_the_token(self) -> None:
        """C159: another port of the host, a sibling domain. Cookie and field are only compared."""
        self.jar = {"_xsrf": "abcd"}
        self.assertEqual(self.sign("abcd"), 303)


class TokenHandler(tornado.web.RequestHandler):
    def prepare(self) -> None:
        self.settings["prepared"].append(self.request.method)

    def get(self) -> None:
        if self.get_query_argument("token", ""):
            self.write({"token": self.xsrf_token.decode()})

    def answer(self) -> None:
        self.write({"done": self.request.method})

    head = options = post = put = delete = patch = answer


class EscapedFormHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        template = tornado.template.Template("{{ xsrf_form_html() }}{% module xsrf_form_html() %}")
        self.write(template.generate(**self.get_template_namespace()))


class TokenDetailsTest(CookieClientCase):
    def get_app(self) -> tornado.web.Application:
        self.prepared: list[str] = []
        return tornado.web.Application(
            [("/", TokenHandler), ("/escaped", EscapedFormHandler)],
            prepared=self.prepared,
            xsrf_cookies=True,
        )

    def test_all_http_methods_but_three_need_the_token(self) -> None:
        """C161, C162: the setting does it, not the verb that a form happens to use."""
        for verb in SAFE + OTHERS:
            with self.subTest(verb):
                self.assertEqual(self.send(verb, "/").code, 200 if verb in SAFE else 403)

    def test_it_is_checked_before_prepare(self) -> None:
        """C163"""
        self.post()
        self.assertEqual(self.prepared, [])

    def test_a_path_without_a_route_is_404(self) -> None:
        """C163"""
        self.assertEqual(self.post("/nowhere").code, 404)

    def test_reading_the_token_sets_the_cookie(self) -> None:
        """C167: a page that does not read it sets none."""
        self.assertNotIn("Set-Cookie", self.get("/").headers)
        response = self.get("/?token=yes")
        self.assertEqual(json_of(response)["token"], self.jar["_xsrf"])

    def test_where_the_token_may_be(self) -> None:
        """C169, C170"""
        token = json_of(self.get("/?token=yes"))["token"]
        form = urlencode({"_xsrf": token})
        field = tornado.escape.json_encode({"_xsrf": token})
        ways: dict[str, tuple[str, dict[str, Any], int]] = {
            "form": ("/", {"body": form}, 200),
            "query": (url_concat("/", {"_xsrf": token}), {}, 200),
            "X-XSRFToken": ("/", {"headers": {"X-XSRFToken": token}}, 200),
            "X-CSRFToken": ("/", {"headers": {"X-CSRFToken": token}}, 200),
            "JSON": ("/", {"body": field, "headers": dict(JSON)}, 403),
            "another header": ("/", {"headers": {"X-Token": token}}, 403),
        }
        for way, (path, options, status) in ways.items():
            with self.subTest(way):
                self.assertEqual(self.post(path, **options).code, status)

    def test_in_double_braces_the_field_is_shown_as_text(self) -> None:
        """C164"""
        page = self.get("/escaped").body
        self.assertTrue(page.startswith(b"&lt;input type=&quot;hidden&quot;"), page)
        self.assertIn(b'<input type="hidden" name="_xsrf"', page)


class MisspelltSettingTest(CookieClientCase):
    def get_app(self) -> tornado.web.Application:
        return tornado.web.Application([("/", TokenHandler)], prepared=[], xsrf_cookie=True)

    def test_in_the_singular_it_is_ignored_and_nobody_says_so(self) -> None:
        """C160"""
        for verb in OTHERS:
            self.assertEqual(self.send(verb, "/").code, 200)


class NotesTest(CookieClientCase):
    def get_app(self) -> tornado.web.Application:
        return xsrf_fetch.make_app()

    def note(self, **options: Any) -> HTTPResponse:
        headers = JSON | options.pop("headers", {})
        return self.post("/notes", '{"note": "milk"}', headers=headers)

    def test_a_static_page_brings_the_cookie(self) -> None:
        """C168: readable by the page's script."""
        response = self.get("/")
        self.assertIn(b"/static/notes.js", response.body)
        cookie = cookies_set_by(response)["_xsrf"]
        self.assertFalse(cookie["httponly"])
        self.assertEqual(cookie["samesite"], "Lax")

    def test_other_static_files_do_not(self) -> None:
        """C167"""
        self.assertNotIn("Set-Cookie", self.get("/static/notes.js").headers)

    def test_the_script_sends_it_as_a_header(self) -> None:
        """C169, C170"""
        self.get("/")
        self.assertEqual(self.note().code, 403)
        response = self.note(headers={"X-XSRFToken": self.jar["_xsrf"]})
        self.assertEqual(json_of(response), {"notes": ["milk"]})

    def test_no_script_needs_jquery(self) -> None:
        """C170"""
        folder = xsrf_fetch.HERE / "static"
        scripts = "".join(path.read_text(encoding="utf-8") for path in folder.glob("*.js"))
        self.assertIn("fetch(", scripts)
        self.assertNotIn("$.", scripts)


class LampTest(CookieClientCase):
    def get_app(self) -> tornado.web.Application:
        return cross_origin.make_app()

    def switch(self, **headers: str) -> int:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.post("/", headers=named).code

    def test_the_browser_says_where_a_request_comes_from(self) -> None:
        """C171"""
        answers = {"same-origin": 303, "none": 303, "same-site": 403, "cross-site": 403}
        for site, status in answers.items():
            with self.subTest(site):
                self.assertEqual(self.switch(Sec_Fetch_Site=site), status)

    def test_an_older_browser_says_its_origin(self) -> None:
        """C171: the port counts, the scheme does not."""
        here = f"127.0.0.1:{self.get_http_port()}"
        answers = {
            f"http://{here}": 303,
            f"https://{here}": 303,
            "http://127.0.0.1:1": 403,
            "https://evil.example": 403,
            "null": 403,
        }
        for origin, status in answers.items():
            with self.subTest(origin):
                self.assertEqual(self.switch(Origin=origin), status)

    def test_a_trusted_origin_may(self) -> None:
        """C171"""
        partner = "https://partner.example"
        self.assertEqual(self.switch(Origin=partner, Sec_Fetch_Site="cross-site"), 303)
        self.assertEqual(self.switch(Origin=f"{partner}.evil", Sec_Fetch_Site="cross-site"), 403)

    def test_a_program_without_these_headers_may(self) -> None:
        """C171: it has no cookies of a victim either."""
        self.assertEqual(self.switch(), 303)
        self.assertIn(b"The lamp is on", self.get().body)

    def test_get_is_not_asked(self) -> None:
        """C171"""
        self.assertEqual(self.get("/", headers={"Sec-Fetch-Site": "cross-site"}).code, 200)
