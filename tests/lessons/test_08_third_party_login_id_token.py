"""Lesson 08: what OpenID Connect adds: an ID token, and everything that is checked about it."""

import json
import time
from typing import Any

import jwt
import tornado.web
from cryptography.hazmat.primitives.asymmetric import ec

from tests.lessons.login_case import LESSON, SECRET, LoginFlowHTTPTestCase, query_of, read_signed
from tests.support.lesson_case import import_script
from tests.support.lesson_pages import LESSONS_FOLDER
from tests.support.script_server import serving

id_token = import_script(LESSON, "id_token")
FAULT = "The provider did not answer as it should"


class IdTokenTest(LoginFlowHTTPTestCase):
    def get_app(self) -> tornado.web.Application:
        self.issuer = id_token.Issuer(self.start_provider())
        return id_token.make_app(self.issuer, self.client, SECRET)

    def assert_502(self, back: str, logged: str) -> None:
        response = self.get(back)
        self.assertEqual(response.code, 502)
        self.assertIn(FAULT, response.body.decode())
        self.assertIn(logged, self.caplog.text)
        self.assertNotIn("user", self.jar)

    def make_tokens(self, **changes: object) -> None:
        """From now on the provider's ID tokens have these claims; None takes a claim away."""
        plain = self.provider.tokens

        def tokens(grant: object) -> dict[str, object]:
            answer: dict[str, Any] = plain(grant)
            claims = jwt.decode(answer["id_token"], options={"verify_signature": False}) | changes
            claims = {name: value for name, value in claims.items() if value is not None}
            kid = {"kid": self.provider.key_id}
            return answer | {"id_token": jwt.encode(claims, self.provider.key, "ES256", kid)}

        self.provider.tokens = tokens

    def test_the_login_ends_with_issuer_and_number(self) -> None:
        """C251, C252, C282: and userinfo is not asked: the ID token says it all."""
        self.assertEqual(self.complete_login().code, 302)
        user = read_signed("user", self.jar["user"])
        ada = {"iss": self.provider.issuer, "sub": "1001", "name": "Ada Lovelace"}
        self.assertEqual(user, ada)
        self.assertEqual(self.asked_for("/userinfo"), 0)

    def test_it_asks_for_an_id_token_with_a_nonce_of_this_login(self) -> None:
        """C251"""
        queries = [query_of(self.start_login()) for _ in range(2)]
        self.assertEqual(queries[0]["scope"], "openid profile")
        self.assertNotEqual(queries[0]["nonce"], queries[1]["nonce"])

    def test_a_token_that_is_wrong_in_one_thing_logs_nobody_in(self) -> None:
        """C251"""
        for claim, value, logged in (
            ("aud", "other", "Audience doesn't match"),
            ("aud", ["course", "other"], "Invalid claim format in token"),
            ("iss", "https://evil.example", "Invalid issuer"),
            ("exp", int(time.time()) - 60, "Signature has expired"),
            ("iat", int(time.time()) + 60, "The token is not yet valid"),
            ("nonce", "another", "The nonce is that of another login"),
            ("nonce", None, 'Token is missing the "nonce" claim'),
            ("sub", None, 'Token is missing the "sub" claim'),
            ("exp", None, 'Token is missing the "exp" claim'),
        ):
            with self.subTest(claim=claim, value=value):
                plain = self.provider.tokens
                self.make_tokens(**{claim: value})
                back = self.approve(self.start_login()).headers["Location"]
                self.assert_502(back, logged)
                self.caplog.clear()
                self.provider.tokens = plain

    def test_an_answer_without_an_id_token_is_502(self) -> None:
        """C251, C255: an access token alone says nothing about who."""
        back = self.approve(self.start_login().replace("openid+", "")).headers["Location"]
        self.assert_502(back, "KeyError: 'id_token'")

    def test_a_new_key_of_the_provider_is_fetched_an_old_one_kept(self) -> None:
        """C251"""
        for _ in range(2):
            self.assertEqual(self.complete_login().code, 302)
        self.assertEqual(self.asked_for("/jwks"), 1)
        self.provider.key, self.provider.key_id = ec.generate_private_key(ec.SECP256R1()), "new"
        self.assertEqual(self.complete_login().code, 302)
        self.assertEqual(self.asked_for("/jwks"), 2)

    def test_a_key_that_the_provider_does_not_publish_is_none(self) -> None:
        """C251"""
        back = self.approve(self.start_login()).headers["Location"]
        published = self.provider.public_keys()
        self.provider.public_keys = lambda: published
        self.provider.key_id = "hidden"
        self.assert_502(back, "Not signed with a key of the provider")

    def test_the_public_half_of_the_key_is_all_that_is_published(self) -> None:
        """C251"""
        [key] = json.loads(self.get(f"{self.provider.issuer}/jwks").body)["keys"]
        self.assertEqual(set(key), {"kty", "crv", "x", "y", "kid", "use", "alg"})

    def test_addresses_of_another_issuer_are_not_believed(self) -> None:
        """C251"""
        self.issuer.url = self.issuer.url.replace("127.0.0.1", "localhost")
        self.assert_502("/login", "These are the addresses of another provider")

    def test_a_provider_that_is_away_is_502_at_the_beginning_too(self) -> None:
        """C255"""
        self.issuer.url = self.start_broken(**{".well-known/openid-configuration": (503, "")})
        self.assert_502("/login", "HTTP 503: Service Unavailable")


def test_forged_tokens_are_refused_each_for_its_reason() -> None:
    """C251, C283"""
    with serving(LESSONS_FOLDER / LESSON / "forged.py") as server:
        assert server.output.splitlines()[:-1] == [
            "as it should be          believed: it is 1001",
            "for another app          Audience doesn't match (strict)",
            "by another issuer        Invalid issuer",
            "an hour old              Signature has expired",
            "of another login         The nonce is that of another login",
            'without a nonce          Token is missing the "nonce" claim',
            "somebody else inside     Signature verification failed",
            "signed with another key  Signature verification failed",
            "not signed, says so      The specified alg value is not allowed",
        ]
