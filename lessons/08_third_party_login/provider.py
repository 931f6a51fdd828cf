"""The provider: it asks its users what an app may see, and gives tokens to the app.

Run it:  python3 learn.py run 08/provider
The other scripts start one too. It asks for no password; a real provider does.
"""

import asyncio
import contextlib
import hmac
import secrets
from pathlib import Path

import tornado.httpserver
import tornado.netutil
import tornado.web
from grants import SCOPES, USERS, Client, Grant, Provider
from tornado.httputil import url_concat
from tornado.options import define, options, parse_command_line

HERE = Path(__file__).parent


class ProviderHandler(tornado.web.RequestHandler):
    def initialize(self, provider: Provider) -> None:
        self.provider = provider

    def get_current_user(self) -> str | None:
        """Return the number of the user who is logged in at the provider in this browser."""
        number = (self.get_signed_cookie("provider_session") or b"").decode()
        return number if number in USERS else None

    def authenticated_client(self) -> Client | None:
        """Return the app whose secret is in the form; answer 401 and return None without it."""
        client = self.provider.clients.get(self.get_body_argument("client_id", ""))
        secret = self.get_body_argument("client_secret", "")
        if client is not None and hmac.compare_digest(secret.encode(), client.secret.encode()):
            return client
        self.refuse(401, "invalid_client", "unknown client_id or wrong client_secret")
        return None

    def refuse(self, status: int, error: str, why: str) -> None:
        self.set_status(status)
        self.write({"error": error, "error_description": why})


class AuthorizeHandler(ProviderHandler):
    def prepare(self) -> None:
        # A wrong client or address: show an error. A redirect would send the answer to anybody.
        client = self.provider.clients.get(self.get_query_argument("client_id"))
        if client is None or self.get_query_argument("redirect_uri") != client.redirect_uri:
            raise tornado.web.HTTPError(400, reason="Unknown client_id or redirect_uri")
        self.client = client
        self.scope = self.get_query_argument("scope", "")
        self.challenge = self.get_query_argument("code_challenge", "")
        pkce = self.challenge and self.get_query_argument("code_challenge_method", "") == "S256"
        if self.get_query_argument("response_type", "") != "code":
            self.answer(error="unsupported_response_type")
        elif not set(self.scope.split()) <= set(SCOPES):
            self.answer(error="invalid_scope")
        elif client.pkce and not pkce:
            self.answer(error="invalid_request")  # PKCE is required

    def get(self) -> None:
        self.set_header(
            "Content-Security-Policy", "frame-ancestors 'none'"
        )  # not in a frame of another page
        known = USERS.get(self.current_user or "")
        scope = self.scope.split()
        self.render("consent.html", client=self.client, users=USERS, scope=scope, known=known)

    def post(self) -> None:
        user = self.get_body_argument("user", "")
        if user not in USERS:
            return self.answer(error="access_denied")
        self.set_signed_cookie("provider_session", user, None, httponly=True, samesite="Lax")
        nonce = self.get_query_argument("nonce", "")
        code = self.provider.allow(self.client, user, self.scope, self.challenge, nonce)
        return self.answer(code=code)

    def answer(self, **answer: str) -> None:
        state = self.get_query_argument("state", "")
        answer["iss"] = self.provider.issuer  # says who answers (RFC 9207)
        url = url_concat(self.client.redirect_uri, answer | ({"state": state} if state else {}))
        self.redirect(url, status=303)


class TokenHandler(ProviderHandler):
    def check_xsrf_cookie(self) -> None:
        """Accept a form without the XSRF token: the app sends its secret instead."""

    def post(self) -> None:
        if (client := self.authenticated_client()) is None:
            return None
        grant_type = self.get_body_argument("grant_type", "")
        grant: Grant | str
        if grant_type == "authorization_code":
            names = ("code", "redirect_uri", "code_verifier")
            code, *sent = [self.get_body_argument(name, "") for name in names]
            grant = self.provider.redeem(code, client, *sent)
        elif grant_type == "refresh_token":
            grant = self.provider.refresh(self.get_body_argument("refresh_token", ""), client)
        else:
            known = "only authorization_code and refresh_token"
            return self.refuse(400, "unsupported_grant_type", known)
        if isinstance(grant, str):
            return self.refuse(400, "invalid_grant", grant)
        self.set_header("Cache-Control", "no-store")
        return self.write(self.provider.tokens(grant))


class RevokeHandler(ProviderHandler):
    def check_xsrf_cookie(self) -> None:
        """Accept a form without the XSRF token: the app sends its secret instead."""

    def post(self) -> None:
        # 200 for an unknown token too: the app wants that the token is useless, and it is.
        if client := self.authenticated_client():
            self.provider.revoke(self.get_body_argument("token", ""), client)


class LogoutHandler(ProviderHandler):
    def get(self) -> None:
        """End the session of this browser at the provider (OpenID Connect RP-Initiated Logout)."""
        # Without an ID token of this user, any page could log the user out by a link.
        claims = self.provider.hint(self.get_query_argument("id_token_hint", ""))
        if claims is None or self.current_user not in (None, claims["sub"]):
            raise tornado.web.HTTPError(400, reason="Not the ID token of this user")
        after = self.get_query_argument("post_logout_redirect_uri", "")
        client = self.provider.clients[claims["aud"]]
        if not after or after != client.after_logout:
            raise tornado.web.HTTPError(400, reason="Unknown post_logout_redirect_uri")
        self.clear_cookie("provider_session")
        self.redirect(after)


class UserInfoHandler(ProviderHandler):
    def get(self) -> None:
        # From a header, not from the address: addresses are kept in logs and histories.
        scheme, _, token = self.request.headers.get("Authorization", "").partition(" ")
        grant = self.provider.whose(token) if scheme == "Bearer" else None
        if grant is None:
            self.set_header("WWW-Authenticate", "Bearer")
            self.set_status(401)
            return self.finish({"error": "invalid_token"})
        return self.finish(grant.claims())


class AddressesHandler(ProviderHandler):
    def get(self) -> None:
        self.write(self.provider.addresses())


class KeysHandler(ProviderHandler):
    def get(self) -> None:
        self.write(self.provider.public_keys())


def make_app(provider: Provider) -> tornado.web.Application:
    """The pages and addresses of a provider."""
    routes = {
        r"/(?:\.well-known/openid-configuration)?": AddressesHandler,
        r"/authorize": AuthorizeHandler,
        r"/token": TokenHandler,
        r"/userinfo": UserInfoHandler,
        r"/jwks": KeysHandler,
        r"/revoke": RevokeHandler,
        r"/logout": LogoutHandler,
    }
    return tornado.web.Application(
        [(path, handler, {"provider": provider}) for path, handler in routes.items()],
        cookie_secret=secrets.token_hex(32),
        xsrf_cookies=True,
        xsrf_cookie_kwargs={"httponly": True, "samesite": "Lax"},
        template_path=HERE / "templates",
        static_path=HERE / "static",
    )


def serve(*clients: Client, port: int = 0) -> Provider:
    """Serve a provider where these apps are registered, on a free port unless one is given."""
    sockets = tornado.netutil.bind_sockets(port, "localhost")
    provider = Provider(f"http://localhost:{sockets[0].getsockname()[1]}", *clients)
    tornado.httpserver.HTTPServer(make_app(provider)).add_sockets(sockets)
    return provider


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    define(
        "redirect_uri",
        default="http://localhost:8889/callback",
        help="where browsers come back",
    )
    define("client_secret", default="", help="of the app; random unless given")
    parse_command_line()
    secret = options.client_secret or secrets.token_urlsafe(16)
    serve(Client("course", secret, options.redirect_uri), port=options.port)
    print(f"client_id course, client_secret {secret}, redirect_uri {options.redirect_uri}")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
