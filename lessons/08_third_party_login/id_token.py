"""OpenID Connect: a signed ID token says who has logged in, to which app, when, in which login.

Run it:  python3 learn.py run 08/id_token
"""

import asyncio
import contextlib
import hmac
import secrets
from pathlib import Path
from typing import Any

import jwt
import tornado.web
from code_flow import COOKIE, BaseHandler, CodeFlowHandler, LogoutHandler, provider_at_fault
from grants import Client
from provider import serve
from tornado.escape import json_decode
from tornado.httpclient import AsyncHTTPClient
from tornado.options import define, options, parse_command_line

HERE = Path(__file__).parent
CLAIMS = ["iss", "aud", "sub", "iat", "exp", "nonce"]  # what an ID token must have


class Issuer:
    """Addresses and signing keys that a provider publishes."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.addresses: dict[str, str] = {}
        self.keys: dict[str, jwt.PyJWK] = {}

    async def address(self, name: str) -> str:
        if not self.addresses:
            addresses = await self.fetch(f"{self.url}/.well-known/openid-configuration")
            if addresses["issuer"] != self.url:
                raise jwt.InvalidIssuerError("These are the addresses of another provider")
            self.addresses = addresses
        return self.addresses[name]

    async def claims(self, id_token: str, audience: str, nonce: str) -> dict[str, Any]:
        """Return the claims; raise jwt.PyJWTError unless the token is genuine, for us, and new."""
        key_id = jwt.get_unverified_header(id_token).get("kid", "")
        if key_id not in self.keys:  # the first time, and if the provider has a new key
            # Not jwt.PyJWKClient: it uses urllib, which would block the event loop.
            published = await self.fetch(await self.address("jwks_uri"))
            self.keys = {key.key_id or "": key for key in jwt.PyJWKSet.from_dict(published).keys}
        if key_id not in self.keys:
            raise jwt.InvalidKeyError("Not signed with a key of the provider")
        # region check
        claims = jwt.decode(
            id_token,
            self.keys[key_id],
            algorithms=["ES256"],  # chosen here, never by the token
            audience=audience,
            issuer=self.url,
            leeway=10,  # seconds that the two clocks may differ
            options={"require": CLAIMS, "strict_aud": True},
        )
        if not hmac.compare_digest(str(claims["nonce"]).encode(), nonce.encode()):
            raise jwt.InvalidTokenError("The nonce is that of another login")
        # endregion
        return claims

    async def fetch(self, url: str) -> dict[str, Any]:
        return json_decode((await AsyncHTTPClient().fetch(url, request_timeout=10)).body)


class HomeHandler(BaseHandler):
    def get(self) -> None:
        self.render("app.html", logins={"/login": "the provider"})


class LoginHandler(CodeFlowHandler):
    async def get(self) -> None:
        with provider_at_fault():
            authorize = await self.settings["issuer"].address("authorization_endpoint")
        self.begin(authorize, scope=["openid", "profile"])  # openid: we want an ID token


class CallbackHandler(CodeFlowHandler):
    async def get(self) -> None:
        issuer = self.settings["issuer"]
        login = self.begun_login()
        with provider_at_fault():
            tokens = await self.tokens(await issuer.address("token_endpoint"), login["verifier"])
            claims = await issuer.claims(tokens["id_token"], self.client.id, login["nonce"])
            # iss and sub identify a user. An e-mail address can belong to another person later.
            user = {claim: claims[claim] for claim in ("iss", "sub", "name")}
        self.log_in(user)


def make_app(issuer: Issuer, client: Client, secret: str) -> tornado.web.Application:
    """Log in by OpenID Connect at a provider of which only one address is known."""
    routes = [("/login", LoginHandler), ("/callback", CallbackHandler), ("/logout", LogoutHandler)]
    return tornado.web.Application(
        [("/", HomeHandler), *((path, handler, {"client": client}) for path, handler in routes)],
        issuer=issuer,
        cookie_secret=secret,
        xsrf_cookies=True,
        xsrf_cookie_kwargs={**COOKIE},  # a copy: Tornado writes into it
        template_path=HERE / "templates",
        static_path=HERE / "static",
    )


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    url = f"http://localhost:{options.port}"
    client = Client("course", secrets.token_urlsafe(32), f"{url}/callback")
    issuer = Issuer(serve(client).issuer)
    make_app(issuer, client, secrets.token_hex(32)).listen(options.port, "localhost")
    print(f"The provider's addresses: {issuer.url}/.well-known/openid-configuration")
    print(f"Open {url}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
