"""Forged requests, recognized without a token: by the headers that the browser adds.

Run it:  python3 learn.py run 04/cross_origin
"""

import asyncio
import contextlib

import tornado.web
from tornado.options import define, options, parse_command_line

PAGE = """<!doctype html>
<title>Lamp</title>
<form method="post"><button>Switch</button></form>
<p>The lamp is {state}.</p>
"""


class LampHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.write(PAGE.format(state="on" if self.settings["lamp"]["on"] else "off"))

    def post(self) -> None:
        self.settings["lamp"]["on"] ^= True
        self.redirect("/", status=303)


def make_app() -> tornado.web.Application:
    """Make an application with a lamp, for pages of this site and of one partner."""
    return tornado.web.Application(
        [(r"/", LampHandler)],
        cross_origin_protection=True,  # Tornado 6.6 and newer; older ones ignore it
        trusted_origins=["https://partner.example"],
        lamp={"on": False},
    )


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    make_app().listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
