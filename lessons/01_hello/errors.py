"""Errors that a handler raises, exceptions that it does not catch, one error page for all.

Run it:  python3 learn.py run 01/errors
"""

import asyncio
import contextlib
from typing import Any

import tornado.web
from tornado.options import define, options, parse_command_line

MOONS = {"earth": ["Moon"], "mars": ["Phobos", "Deimos"]}


class BaseHandler(tornado.web.RequestHandler):
    def write_error(self, status_code: int, **kwargs: Any) -> None:
        # advice is there only if it was given to send_error().
        advice = kwargs.get("advice", "Sorry.")
        self.set_header("Content-Type", "text/plain; charset=UTF-8")
        self.finish(f"{status_code} {self._reason}. {advice}\n")


class MoonsHandler(BaseHandler):
    def get(self, planet: str) -> None:
        if planet not in MOONS:
            # The first text is for the log; reason is what the client sees.
            raise tornado.web.HTTPError(404, "asked for %s", planet, reason="No such planet")
        self.write({"moons": MOONS[planet]})


class LandingHandler(BaseHandler):
    def get(self) -> None:
        self.send_error(503, advice="Try again at low tide.")


class CrashHandler(BaseHandler):
    def get(self) -> None:
        self.write("This text is dropped.")
        self.write(f"Moons: {MOONS['venus']}")


class NotFoundHandler(BaseHandler):
    def prepare(self) -> None:
        raise tornado.web.HTTPError(404)


def make_app() -> tornado.web.Application:
    """Make an application with a page for two planets, one that sends an error, one that fails."""
    return tornado.web.Application(
        [
            (r"/", tornado.web.RedirectHandler, {"url": "/moons/mars", "permanent": False}),
            (r"/moons/(\w+)", MoonsHandler),
            (r"/landing", LandingHandler),
            (r"/crash", CrashHandler),
        ],
        default_handler_class=NotFoundHandler,
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
