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
from grants import SCOPES, USERS, Client, Provider
from tornado.httputil import url_concat
from tornado.options import define, options, parse_command_line

HERE = Path(__file__).parent


class ProviderHandler(tornado.web.RequestHandler):
    def initialize(self, provider: Provider) -> None:
        self.provider = provider


class AuthorizeHandler(ProviderHandler):
    def prepare(self) -> None:
        # A wrong client or address: show an error. A redirect would send the answer to anybody.
        client = self.provider.clients.get(self.get_query_argument("client_id"))
        if client is None or self.get_query_argument("redirect_uri") != client.redirect_uri:
            raise tornado.web.HTTPError(400, reason="Unknown client_id or redirect_uri")
        self.client = client
        self.scope = self.get_query_argument("scope", "")
        self.challenge = self.get_query_argument("code_challenge", "")
        if self.get_query_argument("response_type", "") != "code":
            self.answer(error="unsupported_response_type")
        elif not set(self.scope.split()) <= set(SCOPES):
            self.answer(error="invalid_scope")
        elif self.get_query_argument("code_challenge_method", "") != "S256" or not self.challenge:
            self.answer(error="invalid_request")  # PKCE is required

    def get(self) -> None:
        self.set_header(
            "Content-Security-Policy", "frame-ancestors 'none'"
        )  # not in a frame of another page
        self.render("consent.html", client=self.client, users=USERS, scope=self.scope.split())

    def post(self) -> None:
        user = self.get_body_argument("user", "")
        if user not in USERS:
            return self.answer(error="access_denied")
        nonce = self.get_query_argument("nonce", "")
        code = self.provider.allow(self.client, user, self.scope, self.challenge, nonce)
        return self.answer(code=code)

    def answer(self, **answer: str) -> None:
        state = self.get_query_argument("state", "")
        url = url_concat(self.client.redirect_uri, answer | ({"state": state} if state else {}))
        self.redirect(url, status=303)


class TokenHandler(ProviderHandler):
    def check_xsrf_cookie(self) -> None:
        """Accept a form without the XSRF token: the app sends its secret instead."""

    def post(self) -> None:
        client = self.provider.clients.get(self.get_body_argument("client_id", ""))
        secret = self.get_body_argument("client_secret", "")
        if client is None or not hmac.compare_digest(secret.encode(), client.secret.encode()):
            return self.refuse(401, "invalid_client", "unknown client_id or wrong client_secret")
        if self.get_body_argument("grant_type", "") != "authorization_code":
            return self.refuse(400, "unsupported_grant_type", "only authorization_code")
        sent = [self.get_body_argument(a, "") for a in ("code", "redirect_uri", "code_verifier")]
        grant = self.provider.redeem(sent[0], client, *sent[1:])
        if isinstance(grant, str):
            return self.refuse(400, "invalid_grant", grant)
        self.set_header("Cache-Control", "no-store")
        return self.write(self.provider.tokens(grant))

    def refuse(self, status: int, error: str, why: str) -> None:
        self.set_status(status)
        self.write({"error": error, "error_description": why})


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
    }
    return tornado.web.Application(
        [(path, handler, {"provider": provider}) for path, handler in routes.items()],
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
