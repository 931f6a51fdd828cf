"""A new secret that logs nobody out: two keys are valid, one signs.

Run it:  python3 learn.py run 04/key_rotation
"""

import asyncio
import contextlib
import secrets

import tornado.web
from tornado.options import define, options, parse_command_line


class YesterdayHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        """Set the cookie that this site set when key 1 was its only one."""
        key = self.settings["cookie_secret"][1]
        signed = tornado.web.create_signed_value({1: key}, "member", "ada", key_version=1)
        self.set_cookie("member", signed, httponly=True, samesite="Lax")
        self.write("The cookie of yesterday.\n")


class MemberHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        # The cookie names the key that checks it. Values in the old format do not name one:
        # without min_version=2 they raise an AssertionError.
        member = self.get_signed_cookie("member", min_version=2)
        key = self.get_signed_cookie_key_version("member") if member else None
        if member and key != self.settings["key_version"]:
            self.set_signed_cookie("member", member, httponly=True, samesite="Lax")
        self.write({"member": member.decode() if member else None, "signed with key": key})
        self.write("\n")


def make_app(keys: dict[int, str], key_version: int) -> tornado.web.Application:
    """Make an application that accepts all keys, and signs with keys[key_version]."""
    return tornado.web.Application(
        [(r"/", MemberHandler), (r"/yesterday", YesterdayHandler)],
        cookie_secret=keys,
        key_version=key_version,
    )


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    define("key_version", default=2, help="the key to sign with: 1 or 2")
    parse_command_line()
    keys = {1: secrets.token_hex(32), 2: secrets.token_hex(32)}
    if options.key_version not in keys:
        raise SystemExit("--key_version is 1 or 2")
    make_app(keys, options.key_version).listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
