"""The chat of the last stage.

Run it:  python3 learn.py run 10
"""

import asyncio
import contextlib
import importlib
import sys
from pathlib import Path

import tornado.web
from tornado.options import define, options, parse_command_line

HERE = Path(__file__).parent
STAGE = "stage_10"


def make_app() -> tornado.web.Application:
    """Return the application of the last stage, which finds its modules in its own folder."""
    sys.path.insert(0, str(HERE / STAGE))
    app: tornado.web.Application = importlib.import_module("app").make_app()
    return app


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    make_app().listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
