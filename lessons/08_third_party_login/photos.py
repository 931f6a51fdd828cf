"""An API that needs an access token with a scope: a printing service may read photos, not more.

Run it:  python3 learn.py run 08/photos
"""

import asyncio
import contextlib
import secrets
from pathlib import Path
from urllib.parse import urlencode

import tornado.web
from grants import Client, Provider, challenge_of
from provider import serve
from tornado.escape import json_decode
from tornado.httpclient import AsyncHTTPClient
from tornado.options import define, options, parse_command_line

HERE = Path(__file__).parent
PRINTING = Client("printing", secrets.token_urlsafe(32), "http://localhost:9999/callback")
PHOTOS = {"1001": ["lighthouse.jpg", "harbour.jpg"], "1002": ["garden.jpg"]}


class BearerHandler(tornado.web.RequestHandler):
    """A handler that needs an access token with its scope (RFC 6750)."""

    scope: str

    def prepare(self) -> None:
        scheme, _, token = self.request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return self.refuse(401)
        grant = self.settings["provider"].whose(token)
        if grant is None:
            return self.refuse(401, error="invalid_token")
        if self.scope not in grant.scope.split():
            return self.refuse(403, error="insufficient_scope", scope=self.scope)
        self.current_user = grant.user
        return None

    def refuse(self, status: int, **why: str) -> None:
        pairs = {"realm": "photos", **why}
        challenge = ", ".join(f'{name}="{value}"' for name, value in pairs.items())
        self.set_header("WWW-Authenticate", f"Bearer {challenge}")
        self.set_status(status)
        self.finish(why)  # get() is not called after this


class PhotosHandler(BearerHandler):
    scope = "photos"

    def get(self) -> None:
        self.write({"photos": PHOTOS[self.current_user]})


class TableHandler(tornado.web.RequestHandler):
    async def get(self) -> None:
        url = f"{self.request.protocol}://{self.request.host}"
        rows = [("status", "sent", "answer"), *await attempts(url, self.settings["provider"])]
        self.render("table.html", title="What the API answers", rows=rows)


def make_app(provider: Provider) -> tornado.web.Application:
    """Serve the photos of the users of this provider to apps with the scope `photos`.

    API and provider belong to one site, so the API looks a token up in the memory of the provider.
    """
    return tornado.web.Application(
        [("/", TableHandler), ("/photos", PhotosHandler)],
        provider=provider,
        template_path=HERE / "templates",
        static_path=HERE / "static",
    )


async def token_for(provider: Provider, scope: str) -> str:
    """Return an access token that Ada gives to the printing service."""
    verifier = secrets.token_urlsafe(32)
    form = {"grant_type": "authorization_code", "redirect_uri": PRINTING.redirect_uri}
    form |= {"client_id": PRINTING.id, "client_secret": PRINTING.secret}
    form |= {"code": provider.allow(PRINTING, "1001", scope, challenge_of(verifier))}
    form |= {"code_verifier": verifier}
    url = f"{provider.issuer}/token"
    answer = await AsyncHTTPClient().fetch(url, method="POST", body=urlencode(form))
    return str(json_decode(answer.body)["access_token"])


async def attempts(url: str, provider: Provider) -> list[tuple[str, str, str]]:
    """Ask for the photos with several tokens; return status, what was sent, answer."""
    token = await token_for(provider, "photos")
    sent = {
        "no token": {},
        "a guessed token": {"Authorization": "Bearer guessed"},
        "scope profile": {"Authorization": f"Bearer {await token_for(provider, 'profile')}"},
        "scope photos": {"Authorization": f"Bearer {token}"},
        "the same, revoked": {"Authorization": f"Bearer {token}"},
    }
    rows = []
    for what, headers in sent.items():
        if what == "the same, revoked":
            form = {"client_id": PRINTING.id, "client_secret": PRINTING.secret, "token": token}
            await AsyncHTTPClient().fetch(
                f"{provider.issuer}/revoke", method="POST", body=urlencode(form)
            )
        answer = await AsyncHTTPClient().fetch(f"{url}/photos", headers=headers, raise_error=False)
        said = answer.headers.get("WWW-Authenticate", answer.body.decode())
        rows.append((str(answer.code), what, said))
    return rows


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    provider = serve(PRINTING)
    make_app(provider).listen(options.port, "localhost")
    for status, what, said in await attempts(f"http://localhost:{options.port}", provider):
        print(f"{status}  {what:<17}  {said}")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
