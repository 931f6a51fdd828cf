"""A log in your own format: each request is one line of JSON.

Run it:  python3 learn.py run 02/own_logs
"""

import asyncio
import contextlib
import json
import logging.config

import tornado.log
import tornado.web
from tornado.options import define, options, parse_command_line

LOGGING = {
    "version": 1,
    # Tornado's loggers exist since it was imported; without this line they would write nothing.
    "disable_existing_loggers": False,
    "formatters": {
        "plain": {"format": "{levelname} {name}: {message}", "style": "{"},
        "bare": {"format": "{message}", "style": "{"},
    },
    "handlers": {
        "errors": {"class": "logging.StreamHandler", "formatter": "plain"},
        "requests": {"class": "logging.StreamHandler", "formatter": "bare"},
    },
    "root": {"level": "INFO", "handlers": ["errors"]},
    "loggers": {"tornado.access": {"handlers": ["requests"], "propagate": False}},
}


def log_request(handler: tornado.web.RequestHandler) -> None:
    """Write one line for a request; Tornado calls it when the request ends."""
    line = {
        "method": handler.request.method,
        "path": handler.request.path,
        "status": handler.get_status(),
        "ms": round(1000 * handler.request.request_time(), 1),
    }
    tornado.log.access_log.info(json.dumps(line))


class HelloHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.write("See the log in the server's terminal\n")


def make_app() -> tornado.web.Application:
    """Make an application whose requests are logged by log_request()."""
    return tornado.web.Application([(r"/", HelloHandler)], log_function=log_request)


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    options.logging = None  # before parsing; --logging=none on the command line does the same
    parse_command_line()
    logging.config.dictConfig(LOGGING)
    make_app().listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
