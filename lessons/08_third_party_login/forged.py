"""ID tokens that are wrong in one thing each, and why the check refuses them.

Run it:  python3 learn.py run 08/forged
"""

import asyncio
import contextlib
import secrets
import time
from pathlib import Path
from typing import Any

import jwt
import tornado.web
from cryptography.hazmat.primitives.asymmetric import ec
from grants import Client, Provider
from id_token import Issuer
from provider import serve
from tornado.options import define, options, parse_command_line

HERE = Path(__file__).parent
CLIENT = Client("course", secrets.token_urlsafe(32), "http://localhost:8888/callback")


def tokens(provider: Provider, nonce: str) -> dict[str, str]:
    """Return a good ID token, and others that are wrong in one thing each."""
    now = int(time.time())
    good = {"iss": provider.issuer, "aud": CLIENT.id, "sub": "1001", "nonce": nonce}
    good |= {"iat": now, "exp": now + 600}
    kid = {"kid": provider.key_id}

    def signed(key: Any = provider.key, algorithm: str = "ES256", **changes: Any) -> str:
        return jwt.encode(good | changes, key, algorithm=algorithm, headers=kid)

    head, _, signature = signed().split(".")
    alan = signed(sub="1002").split(".")[1]
    return {
        "as it should be": signed(),
        "for another app": signed(aud="other"),
        "by another issuer": signed(iss="https://provider.example"),
        "an hour old": signed(iat=now - 3600, exp=now - 3000),
        "of another login": signed(nonce=secrets.token_urlsafe(32)),
        "without a nonce": jwt.encode(
            {claim: good[claim] for claim in good if claim != "nonce"}, provider.key, "ES256", kid
        ),
        "somebody else inside": f"{head}.{alan}.{signature}",
        "signed with another key": signed(ec.generate_private_key(ec.SECP256R1())),
        "not signed, says so": signed(None, "none"),
    }


async def verdicts(provider: Provider) -> list[tuple[str, str]]:
    """Return what Issuer.claims() says about each of the tokens."""
    issuer, nonce = Issuer(provider.issuer), secrets.token_urlsafe(32)
    rows = []
    for what, token in tokens(provider, nonce).items():
        try:
            claims = await issuer.claims(token, CLIENT.id, nonce)
            rows.append((what, f"believed: it is {claims['sub']}"))
        except jwt.PyJWTError as error:
            rows.append((what, str(error)))
    return rows


class TableHandler(tornado.web.RequestHandler):
    async def get(self) -> None:
        rows = [("an ID token", "the check says"), *await verdicts(self.settings["provider"])]
        self.render("table.html", title="Forged ID tokens", rows=rows)


def make_app(provider: Provider) -> tornado.web.Application:
    """Make a page of forged ID tokens; the provider must run, for its keys."""
    return tornado.web.Application(
        [("/", TableHandler)],
        provider=provider,
        template_path=HERE / "templates",
        static_path=HERE / "static",
    )


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    provider = serve(CLIENT)
    make_app(provider).listen(options.port, "localhost")
    for what, said in await verdicts(provider):
        print(f"{what:<24} {said}")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
