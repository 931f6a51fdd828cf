"""A handler that is a client itself: send a request to another service and use the answer.

Run it:  python3 learn.py run 05/http_client
The routes under /upstream stand for the other service, so no request leaves this computer.
"""

import asyncio
import contextlib
import json

import tornado.escape
import tornado.web
from tornado.httpclient import AsyncHTTPClient, HTTPRequest
from tornado.httputil import url_concat
from tornado.options import define, options, parse_command_line


class WeatherHandler(tornado.web.RequestHandler):
    async def get(self) -> None:
        city = self.get_query_argument("city", "Berlin")
        weather = await self.weather(city)
        self.write(f"{city}: {weather['text']}, {weather['degrees']} degrees\n")

    async def weather(self, city: str) -> dict[str, object]:
        # AsyncHTTPClient() returns the same object each time: no need to keep it.
        url = url_concat(f"{self.settings['upstream']}/weather", {"city": city})
        response = await AsyncHTTPClient().fetch(url)
        return tornado.escape.json_decode(response.body)  # bytes

    async def post(self) -> None:
        report = {"city": self.get_body_argument("city"), "text": self.get_body_argument("text")}
        request = HTTPRequest(
            f"{self.settings['upstream']}/weather",
            method="POST",
            headers={"Content-Type": "application/json"},
            body=json.dumps(report),  # POST, PUT and PATCH need a body; GET must not have one
        )
        response = await AsyncHTTPClient().fetch(request)
        self.set_status(response.code, response.reason)
        self.write(response.body)


class UpstreamHandler(tornado.web.RequestHandler):
    """The other service: it answers after a fifth of a second."""

    async def get(self) -> None:
        await asyncio.sleep(0.2)
        city = self.get_query_argument("city")
        self.write({"text": self.settings["reports"].get(city, "cloudy"), "degrees": len(city)})

    def post(self) -> None:
        report = tornado.escape.json_decode(self.request.body)
        self.settings["reports"][report["city"]] = report["text"]
        self.set_status(201)
        self.write({"kept": report})


def make_app(upstream: str) -> tornado.web.Application:
    """Show the weather that `upstream` reports, an address like http://localhost:8888/upstream."""
    routes = [(r"/", WeatherHandler), (r"/upstream/weather", UpstreamHandler)]
    return tornado.web.Application(routes, upstream=upstream, reports={})


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    make_app(f"http://localhost:{options.port}/upstream").listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
