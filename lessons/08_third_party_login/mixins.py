"""The mixins for Google and Facebook, with their addresses pointed at the provider of this lesson.

Run it:  python3 learn.py run 08/mixins
"""

import asyncio
import contextlib
import hmac
import secrets
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import tornado.auth
import tornado.httpserver
import tornado.netutil
import tornado.web
from code_flow import COOKIE, BaseHandler
from grants import USERS, Client, Provider
from provider import make_app as make_provider
from tornado.httpclient import AsyncHTTPClient
from tornado.httputil import url_concat
from tornado.options import define, options, parse_command_line

HERE = Path(__file__).parent


class MixinHandler(BaseHandler):
    """Add what the mixins lack: a state, which they neither make nor compare."""

    def initialize(self, client: Client) -> None:
        self.client = client

    def begin(self, mixin: tornado.auth.OAuth2Mixin) -> None:
        state = secrets.token_urlsafe(32)
        self.set_signed_cookie("state", state, expires_days=None, **COOKIE)
        client = self.client
        mixin.authorize_redirect(
            client.redirect_uri, client.id, extra_params={"state": state}, scope=["profile"]
        )

    def check_state(self) -> None:
        kept, came = self.get_signed_cookie("state") or b"", self.get_query_argument("state", "")
        self.clear_cookie("state")
        if not kept or not hmac.compare_digest(kept, came.encode()):
            raise tornado.web.HTTPError(403, reason="This login did not begin in this browser")


class GoogleHandler(MixinHandler, tornado.auth.GoogleOAuth2Mixin):
    def prepare(self) -> None:
        provider = self.settings["provider"]
        self._OAUTH_AUTHORIZE_URL = f"{provider}/authorize"
        self._OAUTH_ACCESS_TOKEN_URL = f"{provider}/token"

    async def get(self) -> None:
        code = self.get_query_argument("code", "")
        if not code:
            return self.begin(self)
        self.check_state()
        access = await self.get_authenticated_user(self.client.redirect_uri, code)
        headers = {"Authorization": f"Bearer {access['access_token']}"}
        url = f"{self.settings['provider']}/userinfo"
        answer = await AsyncHTTPClient().fetch(url, headers=headers)
        return self.finish(answer.body)


class FacebookHandler(MixinHandler, tornado.auth.FacebookGraphMixin):
    def prepare(self) -> None:
        provider = self.settings["provider"]
        self._OAUTH_AUTHORIZE_URL = f"{provider}/authorize"
        self._OAUTH_ACCESS_TOKEN_URL = f"{provider}/oauth/access_token"
        self._FACEBOOK_BASE_URL = provider

    async def get(self) -> None:
        code = self.get_query_argument("code", "")
        if not code:
            return self.begin(self)
        self.check_state()
        client = self.client
        user = await self.get_authenticated_user(
            client.redirect_uri, client.id, client.secret, code
        )
        return self.finish({"sub": user["id"], "name": user["name"]})


class GraphTokenHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        """Exchange a code for a token by GET, as Facebook does."""
        provider, ask = self.settings["graph"], self.get_query_argument
        client = provider.clients[ask("client_id")]
        grant = provider.redeem(ask("code"), client, ask("redirect_uri"), "")
        if ask("client_secret") != client.secret or isinstance(grant, str):
            raise tornado.web.HTTPError(400)
        self.write(provider.tokens(grant))


class GraphMeHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        """Return the user whose access token is in the address, as Facebook does."""
        grant = self.settings["graph"].whose(self.get_query_argument("access_token"))
        if grant is None:
            raise tornado.web.HTTPError(400)
        self.write({"id": grant.user, **USERS[grant.user]})


def serve_provider(*clients: Client) -> tuple[Provider, list[str]]:
    """Serve a provider that also answers as Facebook; return it, and the requests that it gets."""
    asked: list[str] = []

    def keep(handler: tornado.web.RequestHandler) -> None:
        asked.append(f"{handler.request.method} {handler.request.uri}")

    sockets = tornado.netutil.bind_sockets(0, "localhost")
    provider = Provider(f"http://localhost:{sockets[0].getsockname()[1]}", *clients)
    app = make_provider(provider)
    app.add_handlers(".*", [("/oauth/access_token", GraphTokenHandler), ("/me", GraphMeHandler)])
    app.settings |= {"graph": provider, "log_function": keep}
    tornado.httpserver.HTTPServer(app).add_sockets(sockets)
    return provider, asked


class HomeHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.write('<a href="/google">By GoogleOAuth2Mixin</a> <a href="/facebook">By Facebook</a>')


def make_app(
    provider: str, google: Client, facebook: Client, secret: str
) -> tornado.web.Application:
    """Log in by either mixin; each comes back to the address at which the login began."""
    return tornado.web.Application(
        [
            ("/", HomeHandler),
            ("/google", GoogleHandler, {"client": google}),
            ("/facebook", FacebookHandler, {"client": facebook}),
        ],
        provider=provider,
        google_oauth={"key": google.id, "secret": google.secret},
        cookie_secret=secret,
        template_path=HERE / "templates",
        static_path=HERE / "static",
    )


async def log_in(url: str, provider: Provider, client: Client) -> str:
    """Begin a login at a page of the app, let Ada agree, and return what the app answers."""
    begun = await AsyncHTTPClient().fetch(url, follow_redirects=False, raise_error=False)
    asked = dict(parse_qsl(urlsplit(begun.headers["Location"]).query))
    code = provider.allow(client, "1001", asked["scope"], asked.get("code_challenge", ""))
    back = url_concat(asked["redirect_uri"], {"code": code, "state": asked["state"]})
    headers = {"Cookie": begun.headers["Set-Cookie"].partition(";")[0]}
    answer = await AsyncHTTPClient().fetch(back, headers=headers)
    return answer.body.decode()


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    url = f"http://localhost:{options.port}"
    clients = {
        name: Client(f"{name}-app", secrets.token_urlsafe(8), f"{url}/{name}", pkce=False)
        for name in ("google", "facebook")
    }
    provider, asked = serve_provider(*clients.values())
    make_app(provider.issuer, **clients, secret=secrets.token_hex(32)).listen(
        options.port, "localhost"
    )
    for name, client in clients.items():
        print(f"{name}: {await log_in(client.redirect_uri, provider, client)}")
        for line in asked:
            print(f"    {line}")
        asked.clear()
    print(f"Open {url}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
