"""Lesson 08: tornado.auth as it is today, and Google and GitHub as far as this machine can tell."""

import json
import subprocess
import sys
from typing import Any
from unittest import mock
from urllib.parse import parse_qs

import pytest
import tornado.auth
import tornado.web
from tornado.httpclient import HTTPResponse

from tests.lessons.login_case import (
    LESSON,
    SECRET,
    BrokenHandler,
    LoginFlowHTTPTestCase,
    query_of,
    read_signed,
)
from tests.support.lesson_case import RoutesHTTPTestCase, import_script
from tests.support.lesson_pages import LESSONS_FOLDER

elsewhere = import_script(LESSON, "google_github")
KEYS = {
    "GOOGLE_KEY": "google-key",
    "GOOGLE_SECRET": "google-secret",
    "GITHUB_KEY": "github-key",
    "GITHUB_SECRET": "github-secret",
}
NO_KEYS = dict.fromkeys(KEYS, "")


class KeysTest(LoginFlowHTTPTestCase):
    def get_app(self) -> tornado.web.Application:
        with mock.patch.dict("os.environ", KEYS):
            return elsewhere.make_app(self.get_url(""), SECRET)

    def test_google_is_asked_at_its_address_with_our_key(self) -> None:
        """C249, C253"""
        address = self.start_login("/login/google")
        self.assertTrue(address.startswith("https://accounts.google.com/o/oauth2/v2/auth?"))
        query = query_of(address)
        self.assertEqual(query["client_id"], "google-key")
        self.assertEqual(query["redirect_uri"], self.get_url("/callback/google"))
        self.assertEqual(query["scope"], "openid profile")
        self.assertLessEqual({"state", "nonce", "code_challenge"}, set(query))
        self.assertNotIn("secret", address)

    def test_github_is_asked_at_its_address_with_our_key(self) -> None:
        """C249, C253"""
        address = self.start_login("/login/github")
        self.assertTrue(address.startswith("https://github.com/login/oauth/authorize?"))
        query = query_of(address)
        self.assertEqual(query["client_id"], "github-key")
        self.assertEqual(query["redirect_uri"], self.get_url("/callback/github"))
        self.assertLessEqual({"state", "code_challenge"}, set(query))
        self.assertNotIn("secret", address)

    def test_both_are_offered(self) -> None:
        """C253"""
        page = self.get("/").body.decode()
        self.assertIn('href="/login/google"', page)
        self.assertIn('href="/login/github"', page)
        self.assertNotIn("secret", page)

    def test_a_login_that_began_for_one_does_not_end_at_the_other(self) -> None:
        """C254"""
        state = query_of(self.start_login("/login/google"))["state"]
        self.assertEqual(self.get(f"/callback/github?code=c&state={state}").code, 403)


class NoKeysTest(LoginFlowHTTPTestCase):
    def get_app(self) -> tornado.web.Application:
        with mock.patch.dict("os.environ", NO_KEYS | {"GITHUB_KEY": "a key alone"}):
            return elsewhere.make_app(self.get_url(""), SECRET)

    def test_without_keys_nothing_is_offered_and_the_page_says_why(self) -> None:
        """C253"""
        page = self.get("/").body.decode()
        self.assertNotIn('href="/login', page)
        self.assertIn("GOOGLE_KEY", page)
        self.assertIn("GITHUB_SECRET", page)
        self.assertEqual(self.get("/login/google").code, 404)


class GitHubTest(LoginFlowHTTPTestCase):
    """The way back from GitHub, played by an app that answers as GitHub is known to answer."""

    def get_app(self) -> tornado.web.Application:
        with mock.patch.dict("os.environ", KEYS):
            return elsewhere.make_app(self.get_url(""), SECRET)

    def come_back(self, **answers: tuple[int, Any]) -> HTTPResponse:
        there = self.start_broken(**answers)
        github = elsewhere.Service(
            f"{there}/authorize", f"{there}/token", f"{there}/user", [], "id"
        )
        with mock.patch.dict(elsewhere.SERVICES, github=github):
            state = query_of(self.start_login("/login/github"))["state"]
            return self.get(f"/callback/github?code=the-code&state={state}")

    def user(self) -> dict[str, str]:
        user: dict[str, str] = read_signed("user", self.jar["user"])
        return user

    def test_the_code_and_then_the_token_are_sent_as_github_wants_them(self) -> None:
        """C252: JSON asked for, the token in a header, a User-Agent."""
        token = (200, {"access_token": "t"})
        user = (200, {"id": 7, "login": "ada", "name": None})
        self.assertEqual(self.come_back(token=token, user=user).code, 302)
        self.assertEqual(self.user(), {"service": "github", "number": "7", "name": "ada"})
        asked, info = self.broken_asked
        form = {name: value for name, [value] in parse_qs(asked.body.decode()).items()}
        self.assertRegex(form.pop("code_verifier"), r"^[\w-]{43}$")
        expected = {
            "grant_type": "authorization_code",
            "code": "the-code",
            "redirect_uri": self.get_url("/callback/github"),
            "client_id": "github-key",
            "client_secret": "github-secret",
        }
        self.assertEqual(form, expected)
        self.assertEqual(asked.headers["Accept"], "application/json")
        self.assertEqual(info.headers["Authorization"], "Bearer t")
        self.assertTrue(info.headers["User-Agent"])
        self.assertEqual(info.query, "")

    def test_an_error_that_comes_with_status_200_is_502(self) -> None:
        """C255"""
        token = (200, {"error": "bad_verification_code"})
        self.assertEqual(self.come_back(token=token).code, 502)
        self.assertNotIn("user", self.jar)


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the script without keys; it has to end by itself."""
    with mock.patch.dict("os.environ", NO_KEYS):
        return subprocess.run(
            [sys.executable, LESSONS_FOLDER / LESSON / "google_github.py", "--port=0", *arguments],
            capture_output=True,
            text=True,
            timeout=60,
        )


def test_a_service_that_was_asked_for_and_has_no_keys_is_one_line_and_exit_code_2() -> None:
    """C253"""
    ended = run("--services=google,github")
    assert ended.returncode == 2
    assert ended.stderr == "google: GOOGLE_KEY and GOOGLE_SECRET are not set\n"
    ended = run("--services=gogle")
    assert ended.returncode == 2
    assert ended.stderr == "gogle: only google and github are known\n"


class BareLoginHandler(tornado.web.RequestHandler, tornado.auth.OAuth2Mixin):
    _OAUTH_AUTHORIZE_URL = "https://provider.example/authorize"

    def get(self) -> None:
        returned: object = self.authorize_redirect(  # type: ignore[func-returns-value]
            "https://app.example/callback", "course"
        )
        assert returned is None, "nothing to await"


class NoAddressHandler(tornado.web.RequestHandler, tornado.auth.OAuth2Mixin):
    def get(self) -> None:
        self.authorize_redirect("https://app.example/callback", "course")


class GoogleHandler(tornado.web.RequestHandler, tornado.auth.GoogleOAuth2Mixin):
    """What the documentation shows: the same handler goes away and comes back."""

    async def get(self) -> None:
        there = self.settings["there"]
        self._OAUTH_ACCESS_TOKEN_URL = f"{there}/token"
        access = await self.get_authenticated_user("https://app.example/callback", "the-code")
        user = await self.oauth2_request(f"{there}/userinfo", access_token=access["access_token"])
        self.write(user)


class TornadoAuthTest(RoutesHTTPTestCase):
    """`/broken` below plays Google."""

    def get_app(self) -> tornado.web.Application:
        self.asked: list[Any] = []
        self.broken: dict[str, tuple[int, Any]] = {}
        return tornado.web.Application(
            [
                ("/bare", BareLoginHandler),
                ("/no-address", NoAddressHandler),
                ("/google", GoogleHandler),
                (".*", BrokenHandler),
            ],
            there=self.get_url("/broken"),
            asked=self.asked,
            broken=self.broken,
        )

    def with_keys(self) -> None:
        self._app.settings["google_oauth"] = {"key": "k", "secret": "s"}

    def test_authorize_redirect_sends_no_state_of_its_own(self) -> None:
        """C252, C254: it is sent if you pass it in extra_params, and never compared."""
        query = query_of(self.get("/bare").headers["Location"])
        self.assertEqual(set(query), {"response_type", "client_id", "redirect_uri"})

    def test_a_mixin_without_an_address_says_so(self) -> None:
        """C252"""
        self.assertEqual(self.get("/no-address").code, 500)
        self.assertIn("has no attribute '_OAUTH_AUTHORIZE_URL'", self.caplog.text)

    def test_missing_keys_are_500(self) -> None:
        """C253"""
        self.assertEqual(self.get("/google").code, 500)
        self.assertIn("KeyError: 'google_oauth'", self.caplog.text)

    def test_get_authenticated_user_trades_the_code_and_knows_no_verifier(self) -> None:
        """C249, C252"""
        self.with_keys()
        self.broken["/broken/token"] = (200, {"access_token": "t"})
        self.broken["/broken/userinfo"] = (200, {"id": "7"})
        self.assertEqual(json.loads(self.get("/google").body), {"id": "7"})
        form = parse_qs(self.asked[0].body.decode())
        self.assertEqual(
            set(form), {"code", "redirect_uri", "client_id", "client_secret", "grant_type"}
        )

    def test_oauth2_request_puts_the_token_into_the_address(self) -> None:
        """C252"""
        self.with_keys()
        self.broken["/broken/token"] = (200, {"access_token": "secret-token"})
        self.broken["/broken/userinfo"] = (200, {})
        self.get("/google")
        self.assertEqual(self.asked[1].query, "access_token=secret-token")
        self.assertNotIn("Authorization", self.asked[1].headers)

    def test_a_bad_answer_that_nobody_catches_is_500(self) -> None:
        """C255"""
        self.with_keys()
        self.broken["/broken/token"] = (400, {"error": "invalid_grant"})
        self.assertEqual(self.get("/google").code, 500)
        self.assertIn("HTTP 400: Bad Request", self.caplog.text)


def test_what_tornado_auth_has_today() -> None:
    """C249: OAuth 1 and 2, Google, Facebook; Twitter and OpenID are on their way out."""
    for name in ("OAuthMixin", "OAuth2Mixin", "GoogleOAuth2Mixin", "FacebookGraphMixin"):
        assert "deprecated:: 6" not in (getattr(tornado.auth, name).__doc__ or ""), name
    assert "deprecated:: 6.3" in (tornado.auth.TwitterMixin.__doc__ or "")
    assert not hasattr(tornado.auth, "GoogleMixin"), "OpenID by Google, of old tutorials"
    with pytest.warns(DeprecationWarning, match="will be removed in Tornado 6.7"):
        tornado.auth.OpenIdMixin()


SHARED = {"httponly": True}  # meant for every cookie


class SharedCookieHandler(tornado.web.RequestHandler):
    def get_current_user(self) -> str:
        return "Ada"

    def get(self) -> None:
        _ = self.xsrf_token  # into whose keywords Tornado writes expires_days, for whoever is known
        self.set_signed_cookie("login", "x", expires_days=None, **SHARED)


class SharedCookieTest(RoutesHTTPTestCase):
    def get_app(self) -> tornado.web.Application:
        routes = [("/", SharedCookieHandler)]
        return tornado.web.Application(
            routes, cookie_secret=SECRET, xsrf_cookies=True, xsrf_cookie_kwargs=SHARED
        )

    def test_tornado_writes_into_the_keywords_of_the_xsrf_cookie(self) -> None:
        """C254: so a login that shares them with its own cookie needs a copy."""
        with self.assertLogs("tornado.application") as log:
            self.assertEqual(self.get("/").code, 500)
        message = "got multiple values for keyword argument 'expires_days'"
        self.assertIn(message, log.output[0])
