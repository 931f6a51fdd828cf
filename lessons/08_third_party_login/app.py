"""Log in with a provider: OAuth 2 lets us ask it, and what it answers becomes a login of our own.

Run it:  python3 learn.py run 08
It starts the provider beside it, so nothing leaves this machine.
"""

import asyncio
import contextlib
import secrets
import signal
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
        login = self.question()  # 403, unless the state is the one of this browser
        with provider_at_fault():
            tokens = await self.tokens(f"{provider}/token", login["verifier"])
            person = await self.fetch(f"{provider}/userinfo", tokens["access_token"])
            user = {claim: person[claim] for claim in ("sub", "name", "email")}
        self.log_in(user)


def make_app(provider: str, client: Client, secret: str) -> tornado.web.Application:
    """Log in at a provider, where we are that client; secret is the key of our own cookies."""
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
    # A real provider runs elsewhere, and gives us id and secret when we register our address.
    client = Client("course", secrets.token_urlsafe(32), f"{url}/callback")
    provider = serve(client)
    make_app(provider.issuer, client, secrets.token_hex(32)).listen(options.port)
    print(f"The provider waits at {provider.issuer}")
    print(f"Open {url}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))  # as Ctrl-C
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
