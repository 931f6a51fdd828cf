# Forgets the await.
# Told: 500
# Told: await AsyncHTTPClient
"""The code of an old tutorial, which no longer works: make it work with today's Tornado."""

import asyncio
import contextlib

import tornado.escape
import tornado.web
from tornado.httpclient import AsyncHTTPClient, HTTPClientError
from tornado.httputil import url_concat
from tornado.options import define, options, parse_command_line


class WeatherHandler(tornado.web.RequestHandler):
    async def get(self) -> None:
        city = self.get_query_argument("city")
        url = url_concat(self.settings["upstream"] + "/weather", {"city": city})
        try:
            response = AsyncHTTPClient().fetch(url)
        except (HTTPClientError, OSError) as error:
            raise tornado.web.HTTPError(502, "upstream: %s", error) from None
        weather = tornado.escape.json_decode(response.body)
        self.write({"ret": 0, "text": weather["text"]})


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
