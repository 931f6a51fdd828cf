"""Settings from the environment: the same program on a laptop, in a container and on a server.

Run it:  python3 learn.py run 09/from_environment
"""

import asyncio
import contextlib
import os
import secrets
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import tornado.web
from tornado.options import define, options, parse_command_line


@dataclass(frozen=True)
class Settings:
    """The settings that differ from one installation to the next.

    Attributes:
        port: the port to listen on, from SERVER_PORT.
        address: the interface to listen on, from SERVER_ADDRESS.
        secret: signs cookies, from COOKIE_SECRET or the file that COOKIE_SECRET_FILE names.
    """

    port: int
    address: str
    secret: str

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> "Settings":
        """Return the settings of an environment such as os.environ.

        Raises:
            ValueError: a variable has a wrong value, or production has no secret.
        """
        port = environ.get("SERVER_PORT", "8888")
        if not port.isdecimal() or int(port) > 65535:
            raise ValueError(f"SERVER_PORT is {port!r}: it must be a number up to 65535")
        secret = environ.get("COOKIE_SECRET", "")
        if file := environ.get("COOKIE_SECRET_FILE"):
            secret = Path(file).read_text(encoding="utf-8").strip()
        if not secret and environ.get("ENVIRONMENT") == "production":
            raise ValueError("COOKIE_SECRET is not set: each process would make another one")
        address = environ.get("SERVER_ADDRESS", "localhost")
        return cls(int(port), address, secret or secrets.token_hex(32))


class VisitsHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        visits = int(self.get_signed_cookie("visits") or 0) + 1
        self.set_signed_cookie("visits", str(visits), httponly=True, samesite="Lax")
        self.write(f"visit {visits}\n")


def make_app(settings: Settings) -> tornado.web.Application:
    """Count visits in a cookie that the secret of the settings signs."""
    return tornado.web.Application([("/", VisitsHandler)], cookie_secret=settings.secret)


async def main() -> None:
    try:
        settings = Settings.read(os.environ)
    except (ValueError, OSError) as error:
        print(error, file=sys.stderr)
        sys.exit(2)
    define("port", default=8888, help="port to listen on, in place of SERVER_PORT")
    options.port = settings.port
    parse_command_line()
    make_app(settings).listen(options.port, settings.address)
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
