"""Refresh tokens: a new access token without the user, and a stolen refresh token is noticed.

Run it:  python3 learn.py run 08/refresh
"""

import asyncio
import contextlib
import secrets
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import tornado.web
from grants import Client, Provider
from provider import serve
from tornado.escape import json_decode
from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPResponse
from tornado.options import define, options, parse_command_line

HERE = Path(__file__).parent
OURS = Client("course", secrets.token_urlsafe(32), "http://localhost:8888/callback")


class Login:
    """The tokens of one user, as an app keeps them on its server."""

    def __init__(self, provider: str, tokens: dict[str, Any]) -> None:
        self.provider = provider
        self.tokens = tokens
        self.lock = asyncio.Lock()

    async def userinfo(self) -> dict[str, Any]:
        """Ask the provider who it is; if the access token is too old, get a new one first."""
        token = self.tokens["access_token"]
        answer = await self.ask(token)
        if answer.code == 401:
            async with self.lock:  # two requests must not use the same refresh token
                if self.tokens["access_token"] == token:
                    await self.refresh()
            answer = await self.ask(self.tokens["access_token"])
        answer.rethrow()
        return json_decode(answer.body)

    async def ask(self, token: str) -> HTTPResponse:
        headers = {"Authorization": f"Bearer {token}"}
        url = f"{self.provider}/userinfo"
        return await AsyncHTTPClient().fetch(url, headers=headers, raise_error=False)

    async def refresh(self) -> None:
        """Exchange the refresh token for new tokens; raise HTTPClientError if it is refused."""
        form = {"grant_type": "refresh_token", "refresh_token": self.tokens["refresh_token"]}
        form |= {"client_id": OURS.id, "client_secret": OURS.secret}
        url = f"{self.provider}/token"
        answer = await AsyncHTTPClient().fetch(url, method="POST", body=urlencode(form))
        self.tokens = json_decode(answer.body)


def tokens_of_ada(provider: Provider) -> dict[str, Any]:
    """Return the tokens of a login that asks for a refresh token: the scope `offline_access`."""
    code = provider.allow(OURS, "1001", "profile offline_access", "")
    return provider.tokens(provider._codes.pop(code))


def expire_access_tokens(provider: Provider) -> None:
    """Make all access tokens useless, as ten minutes would."""
    provider._tokens.clear()


async def attempts(provider: Provider) -> list[tuple[str, str]]:
    """Use an app's tokens, then a stolen copy of its refresh token; return what and answer."""
    login = Login(provider.issuer, tokens_of_ada(provider))
    thief = Login(provider.issuer, login.tokens.copy())
    rows = [("a fresh access token", (await login.userinfo())["name"])]
    expire_access_tokens(provider)
    rows.append(("an expired one, refreshed", (await login.userinfo())["name"]))
    for who, what in ((thief, "a stolen copy, used after us"), (login, "our newest, after that")):
        expire_access_tokens(provider)
        answer = await refused(who)
        rows.append((what, json_decode(answer.body)["error_description"]))
    return rows


async def refused(login: Login) -> HTTPResponse:
    """Return the answer of the provider to a refresh that it refuses."""
    try:
        await login.refresh()
    except HTTPClientError as error:
        if error.response:
            return error.response
    raise AssertionError("the provider has accepted it")


class TableHandler(tornado.web.RequestHandler):
    async def get(self) -> None:
        rows = [("tokens", "answer"), *await attempts(self.settings["provider"])]
        self.render("table.html", title="Refresh tokens", rows=rows)


def make_app(provider: Provider) -> tornado.web.Application:
    """Make a page with the answers of a provider where OURS is registered."""
    return tornado.web.Application(
        [("/", TableHandler)],
        provider=provider,
        template_path=HERE / "templates",
        static_path=HERE / "static",
    )


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    provider = serve(OURS)
    make_app(provider).listen(options.port, "localhost")
    for what, said in await attempts(provider):
        print(f"{what:<29} {said}")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
