"""Lesson 08: the code flow of OAuth 2 with state and PKCE, and what a strict provider refuses."""

import json
import time
from typing import Any
from unittest import mock

import pytest
import tornado.web

from course.ports import free_port
from tests.lessons.cookie_case import cookies_set_by
from tests.lessons.login_case import (
    LESSON,
    SECRET,
    Client,
    LoginFlowHTTPTestCase,
    query_of,
    read_signed,
)
from tests.support.lesson_case import import_script
from tests.support.lesson_pages import LESSONS_FOLDER
from tests.support.script_server import serving

app = import_script(LESSON, "app")
faults = import_script(LESSON, "faults")
redirect = import_script(LESSON, "redirect")
FAULT = "The provider did not answer as it should"
NOT_HERE = "This login did not begin in this browser"
ADA = {"sub": "1001", "name": "Ada Lovelace", "email": "ada@example.com"}


class RedirectTest(LoginFlowHTTPTestCase):
    def get_app(self) -> tornado.web.Application:
        return redirect.make_app("http://localhost:8888/callback")

    def test_the_address_says_who_asks_for_what(self) -> None:
        """C310: and Tornado adds the response_type, but no state."""
        address = self.get("/login").headers["Location"]
        self.assertTrue(address.startswith("http://localhost:8889/authorize?"))
        self.assertEqual(
            query_of(address),
            {
                "response_type": "code",
                "client_id": "course",
                "redirect_uri": "http://localhost:8888/callback",
                "scope": "profile email",
            },
        )


class AppTestCase(LoginFlowHTTPTestCase):
    def get_app(self) -> tornado.web.Application:
        return app.make_app(self.start_provider(), self.client, SECRET)

    def user(self) -> dict[str, str] | None:
        """Who this browser's cookie says it is."""
        value = tornado.web.decode_signed_value(SECRET, "user", self.jar.get("user"))
        return json.loads(value) if value else None

    def assert_refused(self, status: int, path: str, reason: str) -> None:
        response = self.get(path)
        self.assertEqual(response.code, status)
        self.assertIn(reason, response.body.decode())
        self.assertNotIn("Traceback", response.body.decode())
        self.assertIsNone(self.user())


class LoginTest(AppTestCase):
    def test_the_browser_is_sent_away_with_all_that_the_provider_needs(self) -> None:
        """C252"""
        address = self.start_login()
        self.assertTrue(address.startswith(f"{self.provider.issuer}/authorize?"))
        query = query_of(address)
        self.assertRegex(query.pop("state"), r"^[\w-]{43}$")
        self.assertRegex(query.pop("code_challenge"), r"^[\w-]{43}$")
        self.assertEqual(
            query,
            {
                "response_type": "code",
                "client_id": "course",
                "redirect_uri": self.get_url("/callback"),
                "scope": "profile email",
                "code_challenge_method": "S256",
            },
        )

    def test_each_login_has_a_state_of_its_own_in_a_signed_cookie(self) -> None:
        """C254"""
        states = set()
        for _ in range(2):
            response = self.get("/login")
            state = query_of(response.headers["Location"])["state"]
            cookie = cookies_set_by(response)["login"]
            self.assertEqual((cookie["httponly"], cookie["samesite"]), (True, "Lax"))
            self.assertEqual(cookie["expires"], "")
            self.assertEqual(read_signed("login", cookie.value)["state"], state)
            states.add(state)
        self.assertEqual(len(states), 2)

    def test_the_whole_login_ends_in_a_cookie_of_our_own(self) -> None:
        """C250, C252, C255"""
        answer = self.complete_login()
        self.assertEqual((answer.code, answer.headers["Location"]), (302, "/"))
        self.assertEqual(self.user(), ADA)
        cookie = cookies_set_by(answer)["user"]
        self.assertEqual((cookie["httponly"], cookie["samesite"]), (True, "Lax"))
        self.assertIn("Ada Lovelace", self.get("/").body.decode())
        asked = len(self.asked)
        self.get("/")
        self.assertEqual(len(self.asked), asked, "the provider is asked at the login only")

    def test_secret_verifier_and_token_never_meet_the_browser_or_an_address(self) -> None:
        """C250"""
        seen = [address := self.start_login()]
        verifier = read_signed("login", self.jar["login"])["verifier"]
        seen += [back := self.approve(address).headers["Location"], str(self.get(back).headers)]
        [token] = self.provider._tokens
        for text in (*seen, *self.asked):
            for hidden in ("the app's secret", "the+app%27s+secret", verifier, token):
                self.assertNotIn(hidden, text)

    def test_somebody_who_says_no_is_not_logged_in(self) -> None:
        """C255"""
        back = self.approve(self.start_login(), user="").headers["Location"]
        self.assertEqual(query_of(back)["error"], "access_denied")
        self.assert_refused(403, back, "You have declined, so you are not logged in")
        self.assertEqual(self.asked_for("/token"), 0)

    def test_a_user_cookie_that_somebody_else_signed_is_none(self) -> None:
        """C255"""
        forged = tornado.web.create_signed_value("another", "user", json.dumps(ADA)).decode()
        self.jar["user"] = forged
        self.assertIn("Nobody is logged in", self.get("/").body.decode())

    def test_logout_needs_the_forms_token_and_forgets_the_user(self) -> None:
        """C255"""
        self.complete_login()
        self.assertEqual(self.post("/logout").code, 403)
        self.get("/")
        self.assertEqual(self.post("/logout", f"_xsrf={self.jar['_xsrf']}").code, 303)
        self.assertNotIn("user", self.jar)
        self.assertIn("Nobody is logged in", self.get("/").body.decode())

    def test_a_hostile_name_is_shown_as_text(self) -> None:
        """C255: what a provider says is input as any other."""
        named = ADA | {"name": "<script>alert(1)</script>"}
        self.jar["user"] = tornado.web.create_signed_value(
            SECRET, "user", json.dumps(named)
        ).decode()
        self.assertIn("&lt;script&gt;", self.get("/").body.decode())
        self.assertNotIn("<script>", self.get("/").body.decode())


class StateTest(AppTestCase):
    def assert_not_asked(self, path: str) -> None:
        self.assert_refused(403, path, NOT_HERE)
        self.assertEqual(self.asked_for("/token"), 0, "no code goes to the provider")

    def test_an_answer_to_no_question_is_refused(self) -> None:
        """C254"""
        self.assert_not_asked("/callback?code=guessed&state=guessed")
        self.assert_not_asked("/callback?code=guessed&state=")
        self.assert_not_asked("/callback?code=guessed")

    def test_a_wrong_state_is_refused_whatever_its_letters(self) -> None:
        """C254"""
        for state in ("", "guessed", "%C3%BC", "%00"):
            with self.subTest(state=state):
                back = self.approve(self.start_login()).headers["Location"]
                code = query_of(back)["code"]
                self.assert_not_asked(f"/callback?code={code}&state={state}")

    def test_a_login_that_began_in_another_browser_is_refused(self) -> None:
        """C254: or whoever gets you to open a link logs you in as themselves."""
        with self.another_browser():
            back = self.approve(self.start_login(), user="1002").headers["Location"]
        self.assert_not_asked(back)
        self.start_login()  # even when this browser is in the middle of a login of its own
        self.assert_not_asked(back)

    def test_without_the_comparison_pkce_stops_a_foreign_callback(self) -> None:
        """C309: the verifier of this browser does not fit the code of another."""
        with self.another_browser():
            back = self.approve(self.start_login(), user="1002").headers["Location"]
        self.start_login()
        with mock.patch("code_flow.hmac", compare_digest=lambda *_: True):
            response = self.get(back)
        self.assertEqual(response.code, 502)
        self.assertIn("the code_verifier does not fit the code_challenge", self.caplog.text)
        self.assertIsNone(self.user())

    def test_a_question_is_answered_once(self) -> None:
        """C254"""
        back = self.approve(self.start_login()).headers["Location"]
        self.assertEqual(self.get(back).code, 302)
        del self.jar["user"]
        self.assert_refused(403, back, NOT_HERE)
        self.assertEqual(self.asked_for("/token"), 1)

    def test_a_refused_answer_uses_the_question_up_too(self) -> None:
        """C254"""
        back = self.approve(self.start_login()).headers["Location"]
        self.assert_not_asked("/callback?code=guessed&state=guessed")
        self.assertNotIn("login", self.jar)
        self.assert_not_asked(back)

    def test_whoever_kept_the_cookie_still_has_only_one_code(self) -> None:
        """C254: the cookie can be kept by hand; the provider takes a code once."""
        back = self.approve(self.start_login()).headers["Location"]
        kept = self.jar["login"]
        self.get(back)
        del self.jar["user"]
        self.jar["login"] = kept
        self.assert_refused(502, back, FAULT)
        self.assertIn("no such code, or it has been used", self.caplog.text)

    def test_a_login_takes_ten_minutes_at_most(self) -> None:
        """C254"""
        back = self.approve(self.start_login()).headers["Location"]
        login = tornado.web.decode_signed_value(SECRET, "login", self.jar["login"])
        assert login is not None
        eleven = time.time() - 11 * 60
        self.jar["login"] = tornado.web.create_signed_value(
            SECRET, "login", login, clock=lambda: eleven
        ).decode()
        self.assert_not_asked(back)

    def test_a_login_cookie_that_somebody_else_signed_is_none(self) -> None:
        """C254"""
        login = json.dumps({"state": "s", "verifier": "v", "back": self.get_url("/callback")})
        self.jar["login"] = tornado.web.create_signed_value("another", "login", login).decode()
        self.assert_not_asked("/callback?code=guessed&state=s")


class FaultsScriptTest(LoginFlowHTTPTestCase):
    def get_app(self) -> tornado.web.Application:
        return faults.make_app(faults.serve())

    def test_each_failure_is_502_and_a_token_is_not(self) -> None:
        """C308"""
        self.assertEqual(self.get("/callback/token").body, b"The token has 9 characters\n")
        for name in ("error", "page", "empty"):
            response = self.get(f"/callback/{name}")
            self.assertEqual(response.code, 502)
            self.assertIn(FAULT, response.body.decode())


class FaultTest(AppTestCase):
    """C255: a broken provider is put in the place of the real one while the browser is away."""

    def assert_502(self, logged: str, **answers: tuple[int, Any]) -> None:
        back = self.approve(self.start_login()).headers["Location"]
        settings = self._app.settings
        good, settings["provider"] = settings["provider"], self.start_broken(**answers)
        self.assert_refused(502, back, FAULT)
        self.assertIn(logged, self.caplog.text)
        self.assertNotIn("Traceback", self.caplog.text)
        self.caplog.clear()
        settings["provider"] = good

    def test_a_token_endpoint_that_fails_is_502(self) -> None:
        """C255"""
        self.assert_502("HTTP 500: Internal Server Error", token=(500, "oops"))
        self.assert_502("invalid_client", token=(401, {"error": "invalid_client"}))
        self.assert_502("JSONDecodeError", token=(200, "<html>"))
        self.assert_502("TypeError", token=(200, "[]"))
        self.assert_502("KeyError: 'access_token'", token=(200, {"error": "bad_code"}))

    def test_a_userinfo_endpoint_that_fails_is_502(self) -> None:
        """C255"""
        token = (200, {"access_token": "t"})
        self.assert_502("HTTP 401: Unauthorized", token=token, userinfo=(401, "no"))
        self.assert_502("KeyError: 'sub'", token=token, userinfo=(200, {"name": "Ada"}))
        self.assert_502("UnicodeDecodeError", token=token, userinfo=(200, b"\xff"))

    def test_a_provider_that_is_away_is_502(self) -> None:
        """C255"""
        back = self.approve(self.start_login()).headers["Location"]
        port = free_port(0)
        self._app.settings["provider"] = f"http://127.0.0.1:{port}"
        self.assert_refused(502, back, FAULT)
        self.assertIn("ConnectionRefusedError", self.caplog.text)

    def test_an_error_that_the_provider_sends_back_is_502(self) -> None:
        """C255"""
        state = query_of(self.start_login())["state"]
        self.assert_refused(502, f"/callback?error=server_error&state={state}", FAULT)
        self.assertIn("provider: server_error", self.caplog.text)

    def test_a_callback_with_neither_code_nor_error_is_400(self) -> None:
        """C255"""
        state = query_of(self.start_login())["state"]
        self.assert_refused(400, f"/callback?state={state}", "Bad Request")

    def test_the_next_login_works_again(self) -> None:
        """C255"""
        self.assert_502("HTTP 500", token=(500, ""))
        self.complete_login()
        self.assertEqual(self.user(), ADA)


class ProviderTest(AppTestCase):
    """The provider alone: an honest request, changed in one thing."""

    def changed(self, **changes: str) -> str:
        query = query_of(self.start_login()) | changes
        return tornado.httputil.url_concat(f"{self.provider.issuer}/authorize", query)

    def test_a_wrong_client_or_address_is_told_the_person_and_never_redirected(self) -> None:
        """C250: an answer sent to an unregistered address would be anybody's."""
        for changes in (
            {"client_id": "unknown"},
            {"redirect_uri": self.get_url("/callback2")},
            {"redirect_uri": self.get_url("/callback/")},
            {"redirect_uri": self.get_url("/callback?next=x")},
            {"redirect_uri": "https://evil.example/callback"},
        ):
            for method in ("GET", "POST"):
                with self.subTest(method=method, **changes):
                    address = self.changed(**changes)
                    body = f"_xsrf={self.jar.get('_xsrf', '')}&user=1001"
                    response = self.send(method, address, body=body if method == "POST" else None)
                    self.assertIn(response.code, (400, 403))
                    self.assertNotIn("Location", response.headers)
        self.assertIn("Unknown client_id or redirect_uri", self.get(address).body.decode())

    def test_what_else_is_wrong_is_sent_back_to_the_app(self) -> None:
        """C250, C252"""
        for changes, error in (
            ({"response_type": "token"}, "unsupported_response_type"),
            ({"code_challenge": ""}, "invalid_request"),
            ({"code_challenge_method": "plain"}, "invalid_request"),
            ({"scope": "profile bank"}, "invalid_scope"),
        ):
            with self.subTest(**changes):
                address = self.changed(**changes)
                response = self.get(address)
                self.assertEqual(response.code, 303)
                answer = {"error": error, "state": query_of(address)["state"]}
                answer["iss"] = self.provider.issuer
                self.assertEqual(query_of(response.headers["Location"]), answer)

    def test_another_page_can_neither_press_the_button_nor_hide_it_in_a_frame(self) -> None:
        """C250"""
        address = self.changed()
        policy = self.get(address).headers["Content-Security-Policy"]
        self.assertEqual(policy, "frame-ancestors 'none'")
        self.assertEqual(self.post(address, "user=1001").code, 403)

    def test_the_scope_says_what_the_app_may_see(self) -> None:
        """C251"""
        for scope, claims in (
            ("", {"sub"}),
            ("profile", {"sub", "name"}),
            ("openid email", {"sub", "email"}),
        ):
            code = self.provider.allow(self.client, "1001", scope, "x")
            tokens = self.provider.tokens(self.provider._codes[code])
            headers = {"Authorization": f"Bearer {tokens['access_token']}"}
            answer = self.get(f"{self.provider.issuer}/userinfo", headers=headers)
            self.assertEqual(json.loads(answer.body), {claim: ADA[claim] for claim in claims})

    def test_an_access_token_is_taken_from_the_header_only_and_not_for_long(self) -> None:
        """C251"""
        code = self.provider.allow(self.client, "1001", "profile", "x")
        grant = self.provider._codes[code]
        token = self.provider.tokens(grant)["access_token"]
        userinfo = f"{self.provider.issuer}/userinfo"
        for headers, query, status in (
            ({"Authorization": f"Bearer {token}"}, "", 200),
            ({}, f"?access_token={token}", 401),
            ({"Authorization": f"Basic {token}"}, "", 401),
            ({"Authorization": "Bearer guessed"}, "", 401),
            ({}, "", 401),
        ):
            self.assertEqual(self.get(userinfo + query, headers=dict(headers)).code, status)
        with pytest.MonkeyPatch.context() as patch:
            later = time.time() + 601
            patch.setattr(time, "time", lambda: later)
            self.assertIsNone(self.provider.whose(token))

    def test_a_code_is_good_for_a_minute_and_old_ones_are_forgotten(self) -> None:
        """C250"""
        arguments = (self.client, self.client.redirect_uri, "x")
        code, other = (self.provider.allow(self.client, "1001", "", "x") for _ in range(2))
        with pytest.MonkeyPatch.context() as patch:
            later = time.time() + 61
            patch.setattr(time, "time", lambda: later)
            self.assertEqual(self.provider.redeem(code, *arguments), "the code is too old")
            self.provider.allow(self.client, "1001", "", "x")
            self.assertNotIn(other, self.provider._codes)

    def test_a_form_without_a_grant_type_is_refused(self) -> None:
        """C250"""
        who = "client_id=course&client_secret=the%20app%27s%20secret"
        response = self.post(f"{self.provider.issuer}/token", who)
        self.assertEqual(json.loads(response.body)["error"], "unsupported_grant_type")


class TlsTest(LoginFlowHTTPTestCase):
    def get_app(self) -> tornado.web.Application:
        provider = self.start_provider()
        client = Client("course", "secret", "https://app.example/callback")
        return app.make_app(provider, client, SECRET)

    def test_behind_tls_the_cookies_stay_on_tls(self) -> None:
        """C254, C255"""
        self.assertTrue(cookies_set_by(self.get("/login"))["login"]["secure"])


def test_a_code_is_good_once_for_its_app_with_its_verifier() -> None:
    """C250, C252, C281: PKCE, redirect_uri, secret and single use, tried by the script."""
    with serving(LESSONS_FOLDER / LESSON / "codes.py") as server:
        assert server.output.splitlines()[:-1] == [
            "200  as it should be       an access token",
            "400  a second time         no such code, or it has been used",
            "400  by another app        the code was made for another client",
            "401  without our secret    unknown client_id or wrong client_secret",
            "400  another redirect_uri  the code was sent to another redirect_uri",
            "400  without the verifier  the code_verifier does not fit the code_challenge",
            "400  another verifier      the code_verifier does not fit the code_challenge",
        ]


def test_a_token_for_another_app_opens_ours_where_access_is_taken_for_identity() -> None:
    """C251"""
    with serving(LESSONS_FOLDER / LESSON / "two_apps.py") as server:
        assert server.output.splitlines()[:-1] == [
            "careful  careless  tokens that Ada gave to",
            "    200       200  course",
            "    403       200  free-games",
        ]
        server.stop()
        assert "Audience doesn't match" in server.log
