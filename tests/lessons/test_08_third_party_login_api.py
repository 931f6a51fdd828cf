"""Lesson 08: an API with scopes, refresh tokens, logout at the provider, mix-up, the mixins."""

import asyncio
import json
from typing import Any
from unittest import mock
from urllib.parse import urlencode

import tornado.web
from tornado.httpclient import HTTPResponse
from tornado.testing import gen_test

from tests.lessons.login_case import (
    LESSON,
    SECRET,
    Client,
    LoginFlowHTTPTestCase,
    query_of,
)
from tests.support.lesson_case import import_script

logout, mix_up, mixins, photos, refresh = [
    import_script(LESSON, name) for name in ("logout", "mix_up", "mixins", "photos", "refresh")
]


class ProviderCase(LoginFlowHTTPTestCase):
    """The provider of the lesson, with the client of the test."""

    def get_app(self) -> tornado.web.Application:
        self.start_provider()
        return photos.make_app(self.provider)

    def tokens(self, scope: str, user: str = "1001") -> dict[str, Any]:
        """Return what /token answers after a login with this scope."""
        code = self.provider.allow(self.client, user, scope, "")
        tokens: dict[str, Any] = self.provider.tokens(self.provider._codes.pop(code))
        return tokens

    def form(self, path: str, **fields: str) -> HTTPResponse:
        """Send a form with the secret of the client to the provider."""
        secret = {"client_id": self.client.id, "client_secret": self.client.secret}
        return self.post(f"{self.provider.issuer}{path}", urlencode(secret | fields))

    def redeem(self, refresh_token: str, **fields: str) -> tuple[int, dict[str, Any]]:
        sent = {"grant_type": "refresh_token", "refresh_token": refresh_token} | fields
        answer = self.form("/token", **sent)
        return answer.code, json.loads(answer.body)

    def status_of(self, access_token: str, path: str = "/userinfo") -> int:
        headers = {"Authorization": f"Bearer {access_token}"}
        return self.get(f"{self.provider.issuer}{path}", headers=headers).code


class PhotosTest(ProviderCase):
    def photos(self, authorization: str) -> tuple[int, str, str]:
        """Return status, challenge and body of the answer to a request for the photos."""
        headers = {"Authorization": authorization} if authorization else {}
        answer = self.get("/photos", headers=headers)
        return answer.code, answer.headers.get("WWW-Authenticate", ""), answer.body.decode()

    def test_a_token_with_the_scope_opens_the_photos_of_its_user_only(self) -> None:
        """C580"""
        for user, name in (("1001", "lighthouse.jpg"), ("1002", "garden.jpg")):
            token = self.tokens("profile photos", user)["access_token"]
            status, challenge, body = self.photos(f"bearer {token}")
            self.assertEqual((status, challenge), (200, ""))
            self.assertIn(name, json.loads(body)["photos"])

    def test_a_token_without_the_scope_is_403_and_says_which_scope_is_needed(self) -> None:
        """C580, RFC 6750: `photo` and `photos2` are other scopes than `photos`."""
        for scope in ("profile", "", "photo", "photos2"):
            code = self.provider.allow(self.client, "1001", scope, "")
            token = self.provider.tokens(self.provider._codes.pop(code))["access_token"]
            status, challenge, body = self.photos(f"Bearer {token}")
            self.assertEqual(status, 403)
            needed = 'Bearer realm="photos", error="insufficient_scope", scope="photos"'
            self.assertEqual(challenge, needed)
            self.assertNotIn("jpg", body)

    def test_without_a_valid_token_it_is_401_and_without_any_there_is_no_error_code(self) -> None:
        """C580"""
        token = self.tokens("photos")["access_token"]
        invalid = 'Bearer realm="photos", error="invalid_token"'
        for authorization, challenge in (
            ("", 'Bearer realm="photos"'),
            (f"Basic {token}", 'Bearer realm="photos"'),
            ("Bearer guessed", invalid),
            ("Bearer ", invalid),
            (f"Bearer {token}x", invalid),
        ):
            self.assertEqual(self.photos(authorization)[:2], (401, challenge), authorization)
        self.assertEqual(self.get(f"/photos?access_token={token}").code, 401)

    def test_a_revoked_token_opens_nothing_and_only_its_client_can_revoke_it(self) -> None:
        """C580, RFC 7009"""
        token = self.tokens("photos")["access_token"]
        other = Client("other", "its secret", "http://localhost/")
        self.provider.clients["other"] = other
        answer = self.form("/revoke", token=token, client_id="other", client_secret=other.secret)
        self.assertEqual((answer.code, self.photos(f"Bearer {token}")[0]), (200, 200))
        self.assertEqual(self.form("/revoke", token=token, client_secret="guessed").code, 401)
        self.assertEqual(self.form("/revoke", token=token).code, 200)
        self.assertEqual(self.photos(f"Bearer {token}")[0], 401)
        self.assertEqual(self.form("/revoke", token="unknown").code, 200)


class RefreshTest(ProviderCase):
    def test_it_is_exchanged_for_new_tokens_of_the_same_user_and_scope(self) -> None:
        """C581"""
        first = self.tokens("openid email offline_access")
        self.assertNotIn("refresh_token", self.tokens("openid email"))
        status, second = self.redeem(first["refresh_token"])
        self.assertEqual(status, 200)
        self.assertNotEqual(second["refresh_token"], first["refresh_token"])
        headers = {"Authorization": f"Bearer {second['access_token']}"}
        info = self.get(f"{self.provider.issuer}/userinfo", headers=headers)
        self.assertEqual(json.loads(info.body), {"sub": "1001", "email": "ada@example.com"})

    def test_a_second_use_ends_all_tokens_of_this_login_and_no_others(self) -> None:
        """C581"""
        first, elsewhere = self.tokens("offline_access"), self.tokens("offline_access")
        second = self.redeem(first["refresh_token"])[1]
        status, answer = self.redeem(first["refresh_token"])
        self.assertEqual((status, answer["error"]), (400, "invalid_grant"))
        said = "used twice: all tokens of this login are revoked"
        self.assertIn(said, answer["error_description"])
        self.assertEqual(self.redeem(second["refresh_token"])[0], 400)
        self.assertEqual(self.status_of(second["access_token"]), 401)
        self.assertEqual(self.status_of(elsewhere["access_token"]), 200)
        self.assertEqual(self.redeem(elsewhere["refresh_token"])[0], 200)

    def test_another_client_or_an_old_one_gets_nothing(self) -> None:
        """C581"""
        token = self.tokens("offline_access")["refresh_token"]
        self.provider.clients["other"] = Client("other", "its secret", "http://localhost/")
        other = {"client_id": "other", "client_secret": "its secret"}
        self.assertEqual(self.redeem(token, **other)[0], 400)
        with mock.patch("grants.REFRESH_SECONDS", -1):
            old = self.tokens("offline_access")["refresh_token"]
        self.assertEqual(self.redeem(old)[0], 400)
        self.assertEqual(self.redeem(token, client_secret="guessed")[0], 401)
        self.assertEqual(self.redeem(token)[0], 200)

    def test_a_revoked_refresh_token_ends_its_access_tokens_too(self) -> None:
        """C581, RFC 7009"""
        tokens = self.tokens("offline_access")
        self.form("/revoke", token=tokens["refresh_token"])
        self.assertEqual(self.redeem(tokens["refresh_token"])[0], 400)
        self.assertEqual(self.status_of(tokens["access_token"]), 401)

    @gen_test
    async def test_two_requests_with_an_expired_token_refresh_once(self) -> None:
        """C581: without the lock the second one would look like a thief."""
        ours = Client(refresh.OURS.id, refresh.OURS.secret, refresh.OURS.redirect_uri)
        self.provider.clients[ours.id] = self.client = ours
        login = refresh.Login(self.provider.issuer, self.tokens("profile offline_access"))
        refresh.expire_access_tokens(self.provider)
        names = [each["name"] for each in await asyncio.gather(login.userinfo(), login.userinfo())]
        self.assertEqual(names, ["Ada Lovelace", "Ada Lovelace"])
        self.assertEqual(self.asked_for("/token"), 1)


class LogoutTest(LoginFlowHTTPTestCase):
    KNOWN = "You are logged in at the provider as"

    def get_app(self) -> tornado.web.Application:
        issuer = logout.Issuer(self.start_provider())
        self.client = Client(
            "course", "the app's secret", self.get_url("/callback"), self.get_url("/")
        )
        self.provider.clients["course"] = self.client
        return logout.make_app(issuer, self.client, SECRET)

    def known_at_provider(self) -> bool:
        return self.KNOWN in self.get(self.start_login()).body.decode()

    def log_out(self) -> HTTPResponse:
        self.get("/")
        return self.post("/logout", f"_xsrf={self.jar['_xsrf']}")

    def test_the_browser_is_logged_out_of_both(self) -> None:
        """C582"""
        self.complete_login()
        self.assertTrue(self.known_at_provider())
        answer = self.log_out()
        self.assertEqual(answer.code, 303)
        self.assertNotIn("user", self.jar)
        self.assertNotIn("id_token", self.jar)
        back = self.get(answer.headers["Location"])
        self.assertEqual((back.code, back.headers["Location"]), (302, self.get_url("/")))
        self.assertFalse(self.known_at_provider())

    def test_the_provider_refuses_other_hints_and_other_addresses(self) -> None:
        """C582: a link of another page must not log a user out."""
        self.complete_login()
        address = self.log_out().headers["Location"]
        hint = query_of(address)["id_token_hint"]
        url = f"{self.provider.issuer}/logout"
        after = self.client.after_logout
        self.provider.clients["none"] = Client("none", "", "http://localhost/")
        alan = self.provider.tokens(
            self.provider._codes[self.provider.allow(self.client, "1002", "openid", "")]
        )["id_token"]
        for query in (
            {},
            {"id_token_hint": "x", "post_logout_redirect_uri": after},
            {"id_token_hint": alan, "post_logout_redirect_uri": after},
            {"id_token_hint": hint},
            {"id_token_hint": hint, "post_logout_redirect_uri": "http://evil.example/"},
        ):
            self.assertEqual(self.get(f"{url}?{urlencode(query)}").code, 400, query)
            self.assertTrue(self.known_at_provider())
        self.assertEqual(self.get(f"{url}?x").reason, "Not the ID token of this user")
        elsewhere = urlencode({"id_token_hint": hint, "post_logout_redirect_uri": "http://x/"})
        self.assertEqual(self.get(f"{url}?{elsewhere}").reason, "Unknown post_logout_redirect_uri")
        self.assertEqual(self.get(address).code, 302)

    def test_a_logout_without_an_id_token_ends_at_the_app(self) -> None:
        """C582"""
        self.complete_login()
        del self.jar["id_token"]
        answer = self.log_out()
        self.assertEqual((answer.code, answer.headers["Location"]), (303, "/"))
        self.assertNotIn("user", self.jar)


class MixUpTest(LoginFlowHTTPTestCase):
    def get_app(self) -> tornado.web.Application:
        good = self.start_provider()
        bad, self.stolen = mix_up.serve_bad(good)
        return mix_up.make_app(good, bad, self.client, SECRET)

    def test_the_good_provider_says_that_it_has_answered(self) -> None:
        """C583, RFC 9207"""
        answer = self.complete_login(path="/login/good")
        self.assertEqual((answer.code, answer.headers["Location"]), (302, "/"))

    def test_a_code_of_the_good_provider_does_not_go_to_the_bad_one(self) -> None:
        """C583: "iss" of the answer is not the provider at which the login began."""
        address = self.get(self.start_login("/login/bad")).headers["Location"]
        self.assertTrue(address.startswith(f"{self.provider.issuer}/authorize?"))
        back = self.approve(address).headers["Location"]
        self.assertEqual(query_of(back)["iss"], self.provider.issuer)
        answer = self.get(back)
        self.assertEqual((answer.code, answer.reason), (403, "Another provider has answered"))
        self.assertEqual(self.stolen, {})

    def test_an_answer_without_iss_is_refused(self) -> None:
        """C583"""
        back = self.approve(self.start_login("/login/good")).headers["Location"]
        query = query_of(back)
        del query["iss"]
        answer = self.get(f"/callback?{urlencode(query)}")
        self.assertEqual((answer.code, answer.reason), (403, "Another provider has answered"))
        self.assertEqual(self.asked_for("/token"), 0)


class MixinsTest(LoginFlowHTTPTestCase):
    def get_app(self) -> tornado.web.Application:
        self.google, self.facebook = [
            Client(f"{name}-app", "the+secret", self.get_url(f"/{name}"), pkce=False)
            for name in ("google", "facebook")
        ]
        self.provider, self.asked = mixins.serve_provider(self.google, self.facebook)
        return mixins.make_app(self.provider.issuer, self.google, self.facebook, SECRET)

    def log_in(self, path: str) -> dict[str, str]:
        answer = self.complete_login(path=path)
        self.assertEqual(answer.code, 200, answer.body)
        user: dict[str, str] = json.loads(answer.body)
        return user

    def test_both_mixins_log_in_and_facebook_s_puts_the_secret_into_an_address(self) -> None:
        """C249, C584"""
        ada = {"sub": "1001", "name": "Ada Lovelace"}
        self.assertEqual(self.log_in("/google"), ada)
        self.assertNotIn("secret", " ".join(self.asked))
        self.assertEqual(self.log_in("/facebook"), ada)
        self.assertIn("client_secret=the%2Bsecret", " ".join(self.asked))

    def test_the_script_adds_the_state_that_the_mixins_lack(self) -> None:
        """C584"""
        for name in ("google", "facebook"):
            back = self.approve(self.start_login(f"/{name}")).headers["Location"]
            with self.another_browser():
                self.assertEqual(self.get(back).code, 403)

    def test_a_client_that_must_use_pkce_cannot_use_the_mixin(self) -> None:
        """C584: get_authenticated_user() of Google's mixin sends no verifier."""
        address = self.start_login("/google")
        strict = Client("google-app", "the+secret", self.get_url("/google"))
        self.provider.clients["google-app"] = strict
        self.assertEqual(
            query_of(self.get(address).headers["Location"])["error"], "invalid_request"
        )
