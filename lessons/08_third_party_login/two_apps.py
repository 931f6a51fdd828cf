"""Access is not identity: with a token that Ada gave to another app, its owner logs in as Ada.

Run it:  python3 learn.py run 08/two_apps
"""

import asyncio
import contextlib
import secrets
from pathlib import Path
from urllib.parse import urlencode

import jwt
import tornado.web
from grants import Client, Grant, Provider
from id_token import Issuer
from provider import serve
from tornado.escape import json_decode
from tornado.httpclient import AsyncHTTPClient, HTTPClientError
from tornado.options import define, options, parse_command_line

HERE = Path(__file__).parent
OURS = Client("course", secrets.token_urlsafe(32), "http://localhost:8888/callback")
THEIRS = Client("free-games", secrets.token_urlsafe(32), "http://localhost:9999/callback")


class CarelessHandler(tornado.web.RequestHandler):
    async def post(self) -> None:
        """Log in the user whose profile the access token opens: a mistake."""
        headers = {"Authorization": f"Bearer {self.get_body_argument('access_token')}"}
        userinfo = f"{self.settings['issuer'].url}/userinfo"
        try:
            answer = await AsyncHTTPClient().fetch(userinfo, headers=headers)
        except HTTPClientError:
            raise tornado.web.HTTPError(403) from None
        self.write(f"Welcome, {json_decode(answer.body)['name']}\n")


class CarefulHandler(tornado.web.RequestHandler):
    async def post(self) -> None:
        """Check an ID token, which says for which app and for which login it was made."""
        nonce = self.get_signed_cookie("nonce") or b""
        token = self.get_body_argument("id_token")
        try:
            claims = await self.settings["issuer"].claims(token, OURS.id, nonce.decode())
        except jwt.PyJWTError as error:
            raise tornado.web.HTTPError(403, "%s", error) from None
        self.write(f"Welcome, {claims['name']}\n")


class HomeHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        nonce = secrets.token_urlsafe(32)
        self.set_signed_cookie("nonce", nonce, httponly=True, samesite="Lax")
        self.write({"nonce": nonce, "post to": ["/careless", "/careful"]})


def make_app(issuer: Issuer, secret: str) -> tornado.web.Application:
    """Two ways to log in with a token that another program has fetched, such as a phone app."""
    routes = [("/", HomeHandler), ("/careless", CarelessHandler), ("/careful", CarefulHandler)]
    return tornado.web.Application(routes, issuer=issuer, cookie_secret=secret)


async def attempts(url: str, provider: Provider) -> list[tuple[int, int, str]]:
    """Send Ada's tokens to both paths: those for our app, and those for another app."""
    home = await AsyncHTTPClient().fetch(url)
    nonce, cookie = json_decode(home.body)["nonce"], home.headers["Set-Cookie"].partition(";")[0]
    rows = []
    for client in (OURS, THEIRS):
        grant = Grant(client, "1001", "openid profile", "", nonce, 0)
        form = urlencode(provider.tokens(grant))
        codes = [
            await AsyncHTTPClient().fetch(
                f"{url}/{path}",
                method="POST",
                headers={"Cookie": cookie},
                body=form,
                raise_error=False,
            )
            for path in ("careful", "careless")
        ]
        rows.append((codes[0].code, codes[1].code, client.id))
    return rows


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    provider = serve(OURS, THEIRS)
    make_app(Issuer(provider.issuer), secrets.token_hex(32)).listen(options.port, "localhost")
    rows = await attempts(f"http://localhost:{options.port}", provider)
    print("careful  careless  tokens that Ada gave to")
    for careful, careless, app in rows:
        print(f"{careful:>7}  {careless:>8}  {app}")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
