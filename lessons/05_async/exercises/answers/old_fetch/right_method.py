# A method of its own, a client of its own, and finish().
"""The code of an old tutorial, which no longer works: make it work with today's Tornado."""

import asyncio
import contextlib
import json
import urllib.parse

import tornado.escape
import tornado.web
from tornado import gen
from tornado.httpclient import AsyncHTTPClient
from tornado.options import define, options, parse_command_line


class WeatherHandler(tornado.web.RequestHandler):
    async def weather(self, city: str) -> str:
        query = urllib.parse.urlencode({"city": city})
        response = await self.client.fetch(f"{self.settings['upstream']}/weather?{query}")
        return json.loads(response.body)["text"]

    async def get(self) -> None:
        self.client = AsyncHTTPClient(force_instance=True, max_clients=2)
        city = self.get_argument("city")
        try:
            text = await self.weather(city)
        except Exception:
            self.set_status(502)
            self.finish({"ret": 1})
            return
        finally:
            self.client.close()
        self.finish({"text": text, "ret": 0})


def make_app(upstream: str = "http://localhost:8889/upstream") -> tornado.web.Application:
    return tornado.web.Application([(r"/weather", WeatherHandler)], upstream=upstream)


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    make_app().listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
