"""The code of an old tutorial, which no longer works: make it work with today's Tornado."""

import asyncio
import contextlib

import tornado.escape
import tornado.web
from tornado.httpclient import AsyncHTTPClient
from tornado.options import define, options, parse_command_line


class WeatherHandler(tornado.web.RequestHandler):
    # TODO: make it work. (The tutorial also has @tornado.web.asynchronous, which was removed.)
    def get(self) -> None:
        url = self.settings["upstream"] + "/weather?city=" + self.get_query_argument("city")
        AsyncHTTPClient().fetch(url, callback=self.on_response)

    def on_response(self, response) -> None:
        if response.error:
            raise tornado.web.HTTPError(500)
        weather = tornado.escape.json_decode(response.body)
        self.write({"ret:0", weather["text"]})
        self.finish()


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
