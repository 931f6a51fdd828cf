"""A mix-up: a bad provider gets the code of a good one, unless the app compares `iss`.

Run it:  python3 learn.py run 08/mix_up
"""

import asyncio
import contextlib
import secrets
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import tornado.httpserver
import tornado.netutil
import tornado.web
from code_flow import BaseHandler, CodeFlowHandler, provider_at_fault
from grants import Client, Provider
from provider import serve
from tornado.httpclient import AsyncHTTPClient, HTTPResponse
from tornado.httputil import HTTPHeaders, url_concat
from tornado.options import define, options, parse_command_line

HERE = Path(__file__).parent


class HomeHandler(BaseHandler):
    def get(self) -> None:
        names = self.settings["providers"]
        self.render("app.html", logins={f"/login/{name}": name for name in names})


class LoginHandler(CodeFlowHandler):
    def get(self, name: str) -> None:
        self.set_signed_cookie("provider", name, expires_days=None, **self.cookie)
        self.begin(f"{self.settings['providers'][name]}/authorize", scope=["profile"])


class CallbackHandler(CodeFlowHandler):
    async def get(self) -> None:
        login = self.begun_login()
        name = (self.get_signed_cookie("provider") or b"").decode()
        issuer = self.settings["providers"][name]
        # region iss
        if self.get_query_argument("iss", "") != issuer:
            raise tornado.web.HTTPError(403, reason="Another provider has answered")
        # endregion
        with provider_at_fault():
            tokens = await self.tokens(f"{issuer}/token", login["verifier"])
            person = await self.fetch(f"{issuer}/userinfo", tokens["access_token"])
            user = {claim: person[claim] for claim in ("sub", "name")}
        self.log_in(user)


class BadAuthorizeHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        """Send the browser on to the good provider, with the state and challenge of the app."""
        self.redirect(f"{self.settings['good']}/authorize?{self.request.query}")


class BadTokenHandler(tornado.web.RequestHandler):
    def post(self) -> None:
        """Keep what the app sends."""
        self.settings["stolen"] |= {
            name: self.get_body_argument(name) for name in ("code", "code_verifier")
        }
        self.write({"access_token": "worthless"})


def serve_bad(good: str) -> tuple[str, dict[str, str]]:
    """Serve the provider of an attacker; return its address, and the dictionary of what it gets."""
    stolen: dict[str, str] = {}
    routes = [("/authorize", BadAuthorizeHandler), ("/token", BadTokenHandler)]
    app = tornado.web.Application(routes, good=good, stolen=stolen)
    sockets = tornado.netutil.bind_sockets(0, "localhost")
    tornado.httpserver.HTTPServer(app).add_sockets(sockets)
    return f"http://localhost:{sockets[0].getsockname()[1]}", stolen


def make_app(good: str, bad: str, client: Client, secret: str) -> tornado.web.Application:
    """Log in at one of two providers, with one callback for both."""
    logins = {"client": client}
    return tornado.web.Application(
        [
            ("/", HomeHandler),
            ("/login/(good|bad)", LoginHandler, logins),
            ("/callback", CallbackHandler, logins),
        ],
        providers={"good": good, "bad": bad},
        cookie_secret=secret,
        xsrf_cookies=True,
        template_path=HERE / "templates",
        static_path=HERE / "static",
    )


async def open_page(url: str, cookies: dict[str, str]) -> HTTPResponse:
    """Send a GET as a browser does: with its cookies, which the answer may change."""
    headers = HTTPHeaders({"Cookie": "; ".join(f"{name}={cookies[name]}" for name in cookies)})
    answer = await AsyncHTTPClient().fetch(
        url, headers=headers, follow_redirects=False, raise_error=False
    )
    for line in answer.headers.get_list("Set-Cookie"):
        name, _, value = line.partition(";")[0].partition("=")
        cookies[name] = value
    return answer


async def log_in(url: str, name: str, good: Provider, client: Client) -> str:
    """Begin a login at one of the providers; Ada agrees at the good one. Return the answer."""
    cookies: dict[str, str] = {}
    address = (await open_page(f"{url}/login/{name}", cookies)).headers["Location"]
    if not address.startswith(good.issuer):
        address = (await open_page(address, {})).headers["Location"]
    asked = dict(parse_qsl(urlsplit(address).query))
    code = good.allow(client, "1001", asked["scope"], asked["code_challenge"])
    came = {"code": code, "state": asked["state"], "iss": good.issuer}
    answer = await open_page(url_concat(asked["redirect_uri"], came), cookies)
    return f"{answer.code} {answer.reason}"


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    url = f"http://localhost:{options.port}"
    client = Client("course", secrets.token_urlsafe(32), f"{url}/callback")
    good = serve(client)
    bad, stolen = serve_bad(good.issuer)
    make_app(good.issuer, bad, client, secrets.token_hex(32)).listen(options.port, "localhost")
    for name in ("good", "bad"):
        print(f"a login at the {name} provider: {await log_in(url, name, good, client)}")
    print(f"the bad provider has got: {', '.join(stolen) or 'nothing'}")
    print(f"Open {url}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
