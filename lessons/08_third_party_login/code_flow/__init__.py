"""The app's side of a login: to the provider, back with a code, then a cookie of the app."""

import contextlib
import hmac
import secrets
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import jwt
import tornado.auth
import tornado.web
from grants import Client, challenge_of
from tornado.escape import json_decode, json_encode
from tornado.httpclient import HTTPClientError

LOGIN_DAYS = 10 / (24 * 60)  # ten minutes
COOKIE: dict[str, Any] = {"httponly": True, "samesite": "Lax"}  # not Strict, see README
FAULT = "The provider did not answer as it should"


class BaseHandler(tornado.web.RequestHandler):
    """A handler whose current user comes from a cookie: the provider is not asked again."""

    def get_current_user(self) -> dict[str, Any] | None:
        user = self.get_signed_cookie("user", max_age_days=1)
        return json_decode(user) if user else None

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        self.render("error.html", status=status_code, reason=self._reason)


class CodeFlowHandler(BaseHandler, tornado.auth.OAuth2Mixin):
    """The code flow of OAuth 2, with state and PKCE."""

    def initialize(self, client: Client) -> None:
        self.client = client
        self.cookie = COOKIE | {"secure": client.redirect_uri.startswith("https:")}

    def begin(self, authorize_url: str, scope: list[str]) -> None:
        """Redirect the browser to the provider, with a state that is tied to this browser."""
        client = self.client
        # region state
        login = {name: secrets.token_urlsafe(32) for name in ("state", "verifier", "nonce")}
        login["back"] = client.redirect_uri
        self.set_signed_cookie("login", json_encode(login), expires_days=None, **self.cookie)
        asked = {"state": login["state"]}  # Tornado adds none
        # endregion
        # region pkce
        asked["code_challenge_method"] = "S256"  # the hash is SHA-256
        asked["code_challenge"] = challenge_of(login["verifier"])
        # endregion
        if "openid" in scope:
            asked["nonce"] = login["nonce"]
        # region redirect
        self._OAUTH_AUTHORIZE_URL = authorize_url
        self.authorize_redirect(client.redirect_uri, client.id, extra_params=asked, scope=scope)
        # endregion

    def begun_login(self) -> dict[str, str]:
        """Return the login that began in this browser; raise HTTPError(403) for any other."""
        cookie = self.get_signed_cookie("login", max_age_days=LOGIN_DAYS)
        self.clear_cookie("login", **self.cookie)  # it is good for one callback
        login = json_decode(cookie) if cookie else {"state": "", "back": ""}
        state = self.get_query_argument("state", "")
        # region compare
        same = hmac.compare_digest(state.encode(), login["state"].encode())
        if not same or login["back"] != self.client.redirect_uri:
            raise tornado.web.HTTPError(403, reason="This login did not begin in this browser")
        # endregion
        return login

    async def tokens(self, token_url: str, verifier: str) -> dict[str, Any]:
        """Exchange the code for tokens, with our secret and the verifier."""
        if error := self.get_query_argument("error", ""):
            if error == "access_denied":
                raise tornado.web.HTTPError(
                    403, reason="You have declined, so you are not logged in"
                )
            raise tornado.web.HTTPError(502, "provider: %s", error, reason=FAULT)
        form = {"grant_type": "authorization_code", "code": self.get_query_argument("code")}
        form |= {"redirect_uri": self.client.redirect_uri, "code_verifier": verifier}
        form |= {"client_id": self.client.id, "client_secret": self.client.secret}
        return await self.fetch(token_url, method="POST", body=urlencode(form))

    async def fetch(self, url: str, token: str = "", **options: Any) -> dict[str, Any]:
        """Send a request to the provider; oauth2_request() would put the token into the address."""
        headers = {"Accept": "application/json"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        client = self.get_auth_http_client()
        response = await client.fetch(url, headers=headers, request_timeout=10, **options)
        return json_decode(response.body)

    def log_in(self, user: dict[str, Any]) -> None:
        """Log the user in with a signed cookie, as in lesson 04."""
        self.set_signed_cookie("user", json_encode(user), expires_days=1, **self.cookie)
        self.redirect("/")


class LogoutHandler(CodeFlowHandler):
    def post(self) -> None:
        self.clear_cookie("user", **self.cookie)  # in this app only, not at the provider
        self.redirect("/", status=303)


@contextlib.contextmanager
def provider_at_fault() -> Iterator[None]:
    """Turn a failure of the provider into a 502, and log the reason."""
    try:
        yield
    except (HTTPClientError, OSError, ValueError, LookupError, TypeError, jwt.PyJWTError) as error:
        response = getattr(error, "response", None)
        said = (response.body or b"")[:200].decode("utf-8", "replace") if response else ""
        why = f"provider: {type(error).__name__}: {error} {said}".rstrip()
        raise tornado.web.HTTPError(502, "%s", why, reason=FAULT) from error
