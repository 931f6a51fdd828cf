"""Log in with a provider, by OAuth 2: the provider says who it is, and the app sets a cookie.

Run it:  python3 learn.py run 08
It starts the provider too, so nothing leaves this computer.
"""

import asyncio
import contextlib
import secrets
from pathlib import Path

import tornado.web
from code_flow import COOKIE, BaseHandler, CodeFlowHandler, LogoutHandler, provider_at_fault
from grants import Client
from provider import serve
from tornado.options import define, options, parse_command_line

HERE = Path(__file__).parent


class HomeHandler(BaseHandler):
    def get(self) -> None:
        self.render("app.html", logins={"/login": "the provider"})


class LoginHandler(CodeFlowHandler):
    def get(self) -> None:
        self.begin(f"{self.settings['provider']}/authorize", scope=["profile", "email"])


class CallbackHandler(CodeFlowHandler):
    async def get(self) -> None:
        provider = self.settings["provider"]
        login = self.begun_login()  # 403, unless the login began in this browser
        with provider_at_fault():
            tokens = await self.tokens(f"{provider}/token", login["verifier"])
            person = await self.fetch(f"{provider}/userinfo", tokens["access_token"])
            user = {name: person[name] for name in ("sub", "name", "email")}
        self.log_in(user)


def make_app(provider: str, client: Client, secret: str) -> tornado.web.Application:
    """Log in at a provider, where we are this client; secret signs our own cookies."""
    routes = [("/login", LoginHandler), ("/callback", CallbackHandler), ("/logout", LogoutHandler)]
    return tornado.web.Application(
        [("/", HomeHandler), *((path, handler, {"client": client}) for path, handler in routes)],
        provider=provider,
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
    # A real provider gives us the id and the secret when we register our address.
    client = Client("course", secrets.token_urlsafe(32), f"{url}/callback")
    provider = serve(client)
    make_app(provider.issuer, client, secrets.token_hex(32)).listen(options.port, "localhost")
    print(f"The provider waits at {provider.issuer}")
    print(f"Open {url}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
