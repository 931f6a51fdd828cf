"""An application as a package: the folder `package` has what `pip install` needs.

Run it:  python3 learn.py run 09/packaged
It runs the package from its folder, without installing it.
"""

import asyncio
import contextlib
import importlib
import sys
import tomllib
from pathlib import Path

import tornado.web
from tornado.options import define, options, parse_command_line

HERE = Path(__file__).parent
SOURCE = HERE / "package" / "src"


def make_app() -> tornado.web.Application:
    """Make the application of the package."""
    if str(SOURCE) not in sys.path:
        sys.path.append(str(SOURCE))  # an installed package is in site-packages instead
    return importlib.import_module("lighthouse.server").make_app()


def files() -> list[str]:
    """Return the files of the package."""
    return sorted(
        path.relative_to(SOURCE).as_posix()
        for path in SOURCE.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    )


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    project = tomllib.loads((HERE / "package" / "pyproject.toml").read_text(encoding="utf-8"))
    name, number = project["project"]["name"], project["project"]["version"]
    for command, function in project["project"]["scripts"].items():
        print(f"{name} {number}, command {command}: {function}")
    print(*files(), sep="\n")
    make_app().listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
