# urllib waits in place: right codes, but nobody else is served meanwhile.
# Told: 504 Gateway Timeout
# Told: Nobody else was served while the gateway waited
"""Pass on what another service says; whatever goes wrong on the way is not the client's fault."""

import asyncio
import contextlib
import urllib.request

import tornado.web
from tornado.options import define, options, parse_command_line


class GatewayHandler(tornado.web.RequestHandler):
    async def get(self, what: str) -> None:
        url = f"{self.settings['upstream']}/{what}"
        try:
            with urllib.request.urlopen(url, timeout=1.0) as response:
                body = response.read()
        except TimeoutError:
            raise tornado.web.HTTPError(504)
        except OSError as error:
            timeout = isinstance(getattr(error, "reason", None), TimeoutError)
            raise tornado.web.HTTPError(504 if timeout else 502)
        self.write(body)


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
