# tornado.gen.with_timeout(), as in older code.
"""Pass on what another service says; whatever goes wrong on the way is not the client's fault."""

import asyncio
import contextlib
import datetime

import tornado.gen
import tornado.util
import tornado.web
from tornado.httpclient import AsyncHTTPClient
from tornado.options import define, options, parse_command_line


class GatewayHandler(tornado.web.RequestHandler):
    @tornado.gen.coroutine
    def get(self, what):
        url = f"{self.settings['upstream']}/{what}"
        try:
            response = yield tornado.gen.with_timeout(
                datetime.timedelta(seconds=1),
                AsyncHTTPClient().fetch(url),
                quiet_exceptions=Exception,
            )
        except tornado.util.TimeoutError:
            raise tornado.web.HTTPError(504)
        except Exception:
            raise tornado.web.HTTPError(502)
        self.write(response.body)


def make_app(upstream: str = "http://localhost:8889") -> tornado.web.Application:
    return tornado.web.Application([(r"/(\w+)", GatewayHandler)], upstream=upstream)


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    make_app().listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
