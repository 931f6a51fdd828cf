"""The data of a provider: apps, users, codes, tokens, and the key that it signs with."""

import contextlib
import hmac
import secrets
import time
from base64 import urlsafe_b64encode
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

USERS = {
    "1001": {"name": "Ada Lovelace", "email": "ada@example.com"},
    "1002": {"name": "Alan Turing", "email": "alan@example.com"},
}
SCOPES: dict[str, list[str]] = {
    "openid": [],  # an ID token
    "profile": ["name"],
    "email": ["email"],
    "photos": [],  # of the API in photos.py
    "offline_access": [],  # a refresh token
}
CODE_SECONDS, TOKEN_SECONDS, REFRESH_SECONDS = 60, 600, 30 * 24 * 3600


def challenge_of(verifier: str) -> str:
    """Return the code_challenge of PKCE: a hash, from which nobody can compute the verifier."""
    return urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode()


@dataclass(frozen=True)
class Client:
    """An app that is registered at the provider.

    Browsers are sent back only to redirect_uri, and after a logout only to after_logout. Only an
    app that was registered with pkce=False may leave PKCE out.
    """

    id: str
    secret: str
    redirect_uri: str
    after_logout: str = ""
    pkce: bool = True


@dataclass(frozen=True)
class Grant:
    """The access that a user has allowed an app, and how the app has asked for it."""

    client: Client
    user: str
    scope: str
    challenge: str
    nonce: str
    expires: float
    login: str = ""  # the same in all tokens that come from one code

    def claims(self) -> dict[str, str]:
        """Return what the app may know: the number of the user, and the claims of the scope."""
        shown = [claim for scope in self.scope.split() for claim in SCOPES[scope]]
        return {"sub": self.user} | {claim: USERS[self.user][claim] for claim in shown}


class Provider:
    """The codes and tokens that are in use."""

    def __init__(self, issuer: str, *clients: Client) -> None:
        self.issuer = issuer
        self.clients = {client.id: client for client in clients}
        self.key, self.key_id = ec.generate_private_key(ec.SECP256R1()), secrets.token_hex(4)
        self._codes: dict[str, Grant] = {}
        self._tokens: dict[str, Grant] = {}
        self._refresh: dict[str, Grant] = {}
        self._used: dict[str, Grant] = {}  # refresh tokens that were exchanged

    def allow(self, client: Client, user: str, scope: str, challenge: str, nonce: str = "") -> str:
        """Return a code. It travels through a browser, so it is useless by itself."""
        expires, login = time.time() + CODE_SECONDS, secrets.token_hex(8)
        grant = Grant(client, user, scope, challenge, nonce, expires, login)
        return _keep(self._codes, grant)

    def redeem(self, code: str, client: Client, redirect_uri: str, verifier: str) -> Grant | str:
        """Return the grant of a code, or why it is refused. A code can be used only once."""
        grant = self._codes.pop(code, None)
        if grant is None:
            return "no such code, or it has been used"
        if grant.client != client:
            return "the code was made for another client"
        if redirect_uri != client.redirect_uri:
            return "the code was sent to another redirect_uri"
        if grant.expires < time.time():
            return "the code is too old"
        if client.pkce and not hmac.compare_digest(challenge_of(verifier), grant.challenge):
            return "the code_verifier does not fit the code_challenge"
        return grant

    def tokens(self, grant: Grant) -> dict[str, Any]:
        """Return an access token, and an ID token and a refresh token if the scope has them."""
        now = int(time.time())
        token = _keep(self._tokens, replace(grant, expires=now + TOKEN_SECONDS))
        answer = {"access_token": token, "token_type": "Bearer", "expires_in": TOKEN_SECONDS}
        if "offline_access" in grant.scope.split():
            kept = replace(grant, expires=now + REFRESH_SECONDS)
            answer["refresh_token"] = _keep(self._refresh, kept)
        if "openid" in grant.scope.split():
            claims: dict[str, Any] = {"iss": self.issuer, "aud": grant.client.id, **grant.claims()}
            claims |= {"nonce": grant.nonce, "iat": now, "exp": now + TOKEN_SECONDS}
            kid = {"kid": self.key_id}
            answer["id_token"] = jwt.encode(claims, self.key, algorithm="ES256", headers=kid)
        return answer

    def refresh(self, refresh_token: str, client: Client) -> Grant | str:
        """Return the grant of a refresh token, or why it is refused. It can be used only once."""
        if spent := self._used.get(refresh_token):
            self.end_login(spent.login)
            return "used twice: all tokens of this login are revoked"
        grant = self._refresh.get(refresh_token)
        if grant is None or grant.client != client or grant.expires < time.time():
            return "no such refresh token"
        self._used[refresh_token] = self._refresh.pop(refresh_token)
        return grant

    def end_login(self, login: str) -> None:
        """Revoke all tokens that come from one code."""
        for kept in (self._tokens, self._refresh):
            for token in [token for token, grant in kept.items() if grant.login == login]:
                del kept[token]

    def revoke(self, token: str, client: Client) -> None:
        """Revoke an access token, or a refresh token and all tokens of its login (RFC 7009)."""
        if (grant := self._tokens.get(token)) and grant.client == client:
            del self._tokens[token]
        elif (grant := self._refresh.get(token)) and grant.client == client:
            self.end_login(grant.login)

    def hint(self, id_token: str) -> dict[str, Any] | None:
        """Return the claims of an ID token that this provider has made; it may be old."""
        unchecked = {"verify_aud": False, "verify_exp": False}
        key = self.key.public_key()
        with contextlib.suppress(jwt.PyJWTError):
            return jwt.decode(id_token, key, ["ES256"], unchecked, issuer=self.issuer)
        return None

    def whose(self, access_token: str) -> Grant | None:
        """Return the grant of an access token that has not expired."""
        grant = self._tokens.get(access_token)
        return grant if grant and grant.expires > time.time() else None

    def public_keys(self) -> dict[str, Any]:
        """Return the keys with which anybody can check an ID token, but not make one."""
        key = ECAlgorithm.to_jwk(self.key.public_key(), as_dict=True)
        return {"keys": [{**key, "kid": self.key_id, "use": "sig", "alg": "ES256"}]}

    def addresses(self) -> dict[str, Any]:
        """Return what OpenID Connect publishes at a well-known address."""
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
            "jwks_uri": f"{self.issuer}/jwks",
            "revocation_endpoint": f"{self.issuer}/revoke",
            "end_session_endpoint": f"{self.issuer}/logout",
            "authorization_response_iss_parameter_supported": True,
        }


def _keep(grants: dict[str, Grant], grant: Grant) -> str:
    for old in [name for name, kept in grants.items() if kept.expires < time.time()]:
        del grants[old]
    grants[name := secrets.token_urlsafe(32)] = grant
    return name
