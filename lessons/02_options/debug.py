"""Debug mode: four settings that help while you write code, and are dangerous in production.

Run it:  python3 learn.py run 02/debug
Then:    python3 learn.py run 02/debug --debug     and change templates/debug.html
"""

import asyncio
import contextlib
from pathlib import Path

import tornado.web
from tornado.options import define, options, parse_command_line

FOLDER = Path(__file__).resolve().parent
# Each part is a setting of its own; this is its value when debug is off.
PARTS = {
    "autoreload": False,
    "compiled_template_cache": True,
    "static_hash_cache": True,
    "serve_traceback": False,
}


class PartsHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        parts = {name: self.settings.get(name, off) for name, off in PARTS.items()}
        self.render("debug.html", parts=parts)


class BoomHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        raise RuntimeError("no answer from db.internal:5432")  # visitors must not read this


def make_app(folder: Path = FOLDER, **settings: object) -> tornado.web.Application:
    """Make an application with a page that shows the four settings, and a page that fails.

    Args:
        folder: the folder that contains templates/ and static/.
        settings: debug, or some of its four parts.
    """
    return tornado.web.Application(
        [(r"/", PartsHandler), (r"/boom", BoomHandler)],
        template_path=folder / "templates",
        static_path=folder / "static",
        **settings,
    )


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    define("debug", default=False, help="reload changed files, show tracebacks")
    parse_command_line()
    make_app(debug=options.debug).listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
