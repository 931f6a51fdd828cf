"""A code can be used once, and only by the app that has the secret and the verifier.

Run it:  python3 learn.py run 08/codes
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
OURS = Client("course", secrets.token_urlsafe(32), "http://localhost:8888/callback")
THEIRS = Client("other", secrets.token_urlsafe(32), "http://localhost:9999/callback")


async def attempts(provider: Provider) -> list[tuple[str, str, str]]:
    """Send codes to the provider, correctly and in wrong ways; return what, status, answer."""
    verifier = secrets.token_urlsafe(32)

    def code() -> str:  # Ada agrees to our app
        return provider.allow(OURS, "1001", "profile", challenge_of(verifier))

    right = {
        "grant_type": "authorization_code",
        "code": code(),
        "redirect_uri": OURS.redirect_uri,
        "client_id": OURS.id,
        "client_secret": OURS.secret,
        "code_verifier": verifier,
    }
    theirs = {"client_id": THEIRS.id, "client_secret": THEIRS.secret}
    tries = {
        "as it should be": right,
        "a second time": right,
        "by another app": right | theirs | {"code": code()},
        "without our secret": right | {"code": code(), "client_secret": "guessed"},
        "another redirect_uri": right | {"code": code(), "redirect_uri": THEIRS.redirect_uri},
        "without the verifier": right | {"code": code(), "code_verifier": ""},
        "another verifier": right | {"code": code(), "code_verifier": secrets.token_urlsafe(32)},
    }
    rows = []
    for what, form in tries.items():
        answer = await AsyncHTTPClient().fetch(
            f"{provider.issuer}/token", method="POST", body=urlencode(form), raise_error=False
        )
        said = json_decode(answer.body)
        rows.append((what, str(answer.code), said.get("error_description", "an access token")))
    return rows


class TableHandler(tornado.web.RequestHandler):
    async def get(self) -> None:
        rows = [("a code", "status", "answer"), *await attempts(self.settings["provider"])]
        self.render("table.html", title="What the provider answers to a code", rows=rows)


def make_app(provider: Provider) -> tornado.web.Application:
    """Make a page with the answers of a provider where OURS and THEIRS are registered."""
    return tornado.web.Application(
        [("/", TableHandler)],
        provider=provider,
        template_path=HERE / "templates",
        static_path=HERE / "static",
    )


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    provider = serve(OURS, THEIRS)
    make_app(provider).listen(options.port, "localhost")
    for what, status, said in await attempts(provider):
        print(f"{status}  {what:<21} {said}")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
