"""Log in with Google or GitHub: the same flow at other addresses, with keys from the environment.

Run it:  python3 learn.py run 08/google_github
It offers those whose keys are set. If a key of --services is missing, the exit code is 2.
"""

import asyncio
import contextlib
import os
import secrets
import sys
from dataclasses import dataclass
from pathlib import Path

import tornado.web
from code_flow import COOKIE, BaseHandler, CodeFlowHandler, LogoutHandler, provider_at_fault
from grants import Client
from tornado.auth import GoogleOAuth2Mixin
from tornado.options import define, options, parse_command_line

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Service:
    """A provider: its addresses, the scope, and the claim that identifies an account."""

    authorize: str
    token: str
    userinfo: str
    scope: list[str]
    number: str


SERVICES = {
    "google": Service(
        GoogleOAuth2Mixin._OAUTH_AUTHORIZE_URL,
        GoogleOAuth2Mixin._OAUTH_ACCESS_TOKEN_URL,
        "https://openidconnect.googleapis.com/v1/userinfo",
        scope=["openid", "profile"],
        number="sub",
    ),
    "github": Service(
        "https://github.com/login/oauth/authorize",
        "https://github.com/login/oauth/access_token",
        "https://api.github.com/user",
        scope=[],  # enough for public data
        number="id",
    ),
}


class HomeHandler(BaseHandler):
    def get(self) -> None:
        offered, missing = self.settings["offered"], set(SERVICES) - set(self.settings["offered"])
        logins = {f"/login/{name}": name for name in offered}
        self.render("google_github.html", logins=logins, missing=sorted(missing))


class LoginHandler(CodeFlowHandler):
    def get(self, name: str) -> None:
        self.begin(SERVICES[name].authorize, SERVICES[name].scope)


class CallbackHandler(CodeFlowHandler):
    async def get(self, name: str) -> None:
        service = SERVICES[name]
        login = self.begun_login()
        with provider_at_fault():
            tokens = await self.tokens(service.token, login["verifier"])
            person = await self.fetch(service.userinfo, tokens["access_token"])
            # Two services may use the same number. On GitHub the name may be missing.
            user = {"service": name, "number": str(person[service.number])}
            user["name"] = person.get("name") or person["login"]
        self.log_in(user)


def keys(name: str) -> tuple[str, str]:
    """Return the key and the secret that a service gave us, empty if they are not set."""
    prefix = name.upper()
    return os.environ.get(f"{prefix}_KEY", ""), os.environ.get(f"{prefix}_SECRET", "")


def make_app(url: str, secret: str) -> tornado.web.Application:
    """Offer the services whose keys are in the environment; url is the address of this app."""
    offered = {name: keys(name) for name in SERVICES if all(keys(name))}
    routes: list[tuple] = [("/", HomeHandler)]
    for name, (key, key_secret) in offered.items():
        client = {"client": Client(key, key_secret, f"{url}/callback/{name}")}
        routes += [(f"/login/({name})", LoginHandler, client)]
        routes += [(f"/callback/({name})", CallbackHandler, client)]
    return tornado.web.Application(
        [*routes, ("/logout", LogoutHandler, {"client": Client("", "", url)})],
        offered=offered,
        cookie_secret=secret,
        xsrf_cookies=True,
        xsrf_cookie_kwargs={**COOKIE},  # a copy: Tornado writes into it
        template_path=HERE / "templates",
        static_path=HERE / "static",
    )


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    define("services", multiple=True, type=str, help="which must be offered: google,github")
    parse_command_line()
    for name in options.services or SERVICES:
        if name not in SERVICES:
            line = f"{name}: only {' and '.join(SERVICES)} are known"
        elif not all(keys(name)):
            line = f"{name}: {name.upper()}_KEY and {name.upper()}_SECRET are not set"
        else:
            continue
        if options.services:
            print(line, file=sys.stderr)
            sys.exit(2)
        print(line)
    url = f"http://localhost:{options.port}"
    make_app(url, secrets.token_hex(32)).listen(options.port, "localhost")
    print(f"Open {url}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
