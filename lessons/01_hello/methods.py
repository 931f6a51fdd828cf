"""All HTTP methods of one small resource: planets, with the number of their moons.

Run it:  python3 learn.py run 01/methods
"""

import asyncio
import contextlib

import tornado.web
from tornado.options import define, options, parse_command_line


class ResourceHandler(tornado.web.RequestHandler):
    """A handler that tells a client which HTTP methods it has."""

    def options(self, *_groups: str) -> None:
        self.set_status(204)
        self.set_header("Allow", self.allowed())

    def write_error(self, status_code: int, **kwargs: object) -> None:
        if status_code == 405:
            self.set_header("Allow", self.allowed())  # a 405 must have it: RFC 9110, 15.5.6
        super().write_error(status_code, **kwargs)

    def allowed(self) -> str:
        """Return the names of the HTTP methods that this class overrides."""
        # RequestHandler has one and the same function for all of them, which answers 405.
        missing = tornado.web.RequestHandler.get
        names = self.SUPPORTED_METHODS
        return ", ".join(name for name in names if getattr(type(self), name.lower()) != missing)

    def number(self, field: str) -> int:
        """Return a field of the form as a number; any other text is answered with 400."""
        try:
            return int(self.get_body_argument(field))
        except ValueError:
            raise tornado.web.HTTPError(400, reason=f"{field} must be a number") from None


class PlanetsHandler(ResourceHandler):
    """All planets: GET lists them, POST adds one."""

    def get(self) -> None:
        self.write(self.settings["planets"])

    def post(self) -> None:
        planets, name = self.settings["planets"], self.get_body_argument("name")
        if name in planets:
            raise tornado.web.HTTPError(409, reason="This planet exists")
        planets[name] = self.number("moons")
        self.set_status(201)
        self.set_header("Location", self.reverse_url("planet", name))


class PlanetHandler(ResourceHandler):
    """One planet: GET reads it, PUT replaces or creates it, PATCH changes it, DELETE deletes it."""

    def get(self, name: str) -> None:
        self.write({"name": name, "moons": self.find(name)})

    def head(self, name: str) -> None:
        self.get(name)  # Tornado counts the body for Content-Length, and does not send it

    def put(self, name: str) -> None:
        planets, moons = self.settings["planets"], self.number("moons")
        self.set_status(204 if name in planets else 201)  # replaced, or created
        planets[name] = moons

    def patch(self, name: str) -> None:
        self.settings["planets"][name] = self.find(name) + self.number("discovered")
        self.get(name)

    def delete(self, name: str) -> None:
        self.find(name)
        del self.settings["planets"][name]
        self.set_status(204)

    def find(self, name: str) -> int:
        """Return the number of moons of a planet; an unknown planet is 404."""
        if name not in self.settings["planets"]:
            raise tornado.web.HTTPError(404)
        moons: int = self.settings["planets"][name]
        return moons


def make_app() -> tornado.web.Application:
    """Make an application with all planets at /planets and each one at /planets/NAME."""
    return tornado.web.Application(
        [
            (r"/", tornado.web.RedirectHandler, {"url": "/planets"}),
            (r"/planets", PlanetsHandler),
            (r"/planets/([^/]+)", PlanetHandler, {}, "planet"),
        ],
        planets={"mars": 2},
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
