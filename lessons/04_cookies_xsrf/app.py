"""A plain cookie, which anyone can edit, beside a signed one, which the server can trust.

Run it:  python3 learn.py run 04
"""

import asyncio
import contextlib
import os
import secrets

import tornado.web
from tornado.options import define, options, parse_command_line


class RoleHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        # Two headers of this response: the browser sends the cookies with its next request.
        self.set_cookie("plain", "guest", httponly=True, samesite="Lax")
        self.set_signed_cookie("signed", "guest", httponly=True, samesite="Lax")

        # The cookies of this request, whatever was set above.
        plain = self.get_cookie("plain", "nothing")
        signed = self.get_signed_cookie("signed") or b"nothing"  # None if forged or too old
        self.write({"plain says": plain, "signed says": signed.decode()})
        self.write("\n")


def make_app(secret: str) -> tornado.web.Application:
    """Make an application that sets two cookies and reads them; secret is the key."""
    return tornado.web.Application([(r"/", RoleHandler)], cookie_secret=secret)


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    # Whoever knows the secret can sign. A fresh one ends all cookies that the last one signed.
    secret = os.environ.get("COOKIE_SECRET") or secrets.token_hex(32)
    make_app(secret).listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
