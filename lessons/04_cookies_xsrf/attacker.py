"""A bank, and on another port an attacker's page that makes your browser pay.

Run it:  python3 learn.py run 04/attacker
         python3 learn.py run 04/attacker --xsrf_cookies     (or --cross_origin_protection)
"""

import asyncio
import contextlib
import secrets
from pathlib import Path

import tornado.httpserver
import tornado.netutil
import tornado.web
from tornado.options import define, options, parse_command_line

HERE = Path(__file__).parent
FILES = {"template_path": HERE / "templates", "static_path": HERE / "static"}


class AccountHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        # No login page here: everybody who opens the bank is Ada.
        self.set_signed_cookie("customer", "ada", httponly=True, **self.settings["cookie"])
        self.render("bank.html", account=self.settings["account"])


class TransferHandler(tornado.web.RequestHandler):
    def post(self) -> None:
        if not self.get_signed_cookie("customer"):
            raise tornado.web.HTTPError(401, reason="The browser sent no cookie")
        self.settings["account"].append((self.request.method, self.get_argument("to")))
        self.redirect("/", status=303)

    get = post  # a mistake: a picture on any page can send a GET


class AttackerHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.render("attacker.html", bank=self.settings["bank"])


def make_app(samesite: str = "Lax", **protection: bool) -> tornado.web.Application:
    """Make the bank.

    Args:
        samesite: the attribute of Ada's cookie.
        protection: settings of the application that protect from forged requests.
    """
    return tornado.web.Application(
        [(r"/", AccountHandler), (r"/transfer", TransferHandler)],
        cookie_secret=secrets.token_hex(32),
        cookie={"samesite": samesite, "secure": samesite == "None"},  # browsers require both
        account=[],
        **protection,
        **FILES,
    )


def make_attacker_app(bank: str) -> tornado.web.Application:
    """Make the page of an attacker, who knows only the address of the bank."""
    return tornado.web.Application([(r"/", AttackerHandler)], bank=bank, **FILES)


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    define("xsrf_cookies", default=False, help="require a token")
    define("cross_origin_protection", default=False, help="refuse requests from other origins")
    define("samesite", default="Lax", help="Lax, Strict, None; empty for no such attribute")
    parse_command_line()
    protection = {name: options[name] for name in ("xsrf_cookies", "cross_origin_protection")}
    make_app(options.samesite, **protection).listen(options.port, "localhost")
    sockets = tornado.netutil.bind_sockets(0, "localhost")  # any free port
    attacker = make_attacker_app(f"http://localhost:{options.port}")
    tornado.httpserver.HTTPServer(attacker).add_sockets(sockets)
    print(f"The attacker waits at http://localhost:{sockets[0].getsockname()[1]}")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
