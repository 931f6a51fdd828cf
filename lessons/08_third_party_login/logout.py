"""Log out of the app and of the provider: delete the cookie, then send the browser to the provider.

Run it:  python3 learn.py run 08/logout
"""

import asyncio
import contextlib
import secrets
from pathlib import Path

import tornado.web
from code_flow import COOKIE, BaseHandler, CodeFlowHandler, provider_at_fault
from grants import Client
from id_token import Issuer, LoginHandler
from provider import serve
from tornado.httputil import url_concat
from tornado.options import define, options, parse_command_line

HERE = Path(__file__).parent


class HomeHandler(BaseHandler):
    def get(self) -> None:
        self.render("app.html", logins={"/login": "the provider"})


class CallbackHandler(CodeFlowHandler):
    async def get(self) -> None:
        issuer = self.settings["issuer"]
        login = self.begun_login()
        with provider_at_fault():
            tokens = await self.tokens(await issuer.address("token_endpoint"), login["verifier"])
            token = tokens["id_token"]
            claims = await issuer.claims(token, self.client.id, login["nonce"])
        # The logout needs the ID token again. HttpOnly: scripts of the page cannot read it.
        self.set_signed_cookie("id_token", token, expires_days=1, **self.cookie)
        self.log_in({claim: claims[claim] for claim in ("iss", "sub", "name")})


class LogoutHandler(CodeFlowHandler):
    async def post(self) -> None:
        id_token = (self.get_signed_cookie("id_token", max_age_days=1) or b"").decode()
        for name in ("user", "id_token"):
            self.clear_cookie(name, **self.cookie)
        if not id_token:
            return self.redirect("/", status=303)
        with provider_at_fault():
            url = await self.settings["issuer"].address("end_session_endpoint")
        query = {"id_token_hint": id_token, "post_logout_redirect_uri": self.client.after_logout}
        return self.redirect(url_concat(url, query), status=303)


def make_app(issuer: Issuer, client: Client, secret: str) -> tornado.web.Application:
    """Log in by OpenID Connect, and log out here and at the provider."""
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
    client = Client("course", secrets.token_urlsafe(32), f"{url}/callback", after_logout=f"{url}/")
    issuer = Issuer(serve(client).issuer)
    make_app(issuer, client, secrets.token_hex(32)).listen(options.port, "localhost")
    print(f"The provider waits at {issuer.url}")
    print(f"Open {url}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
