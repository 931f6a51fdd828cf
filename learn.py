#!/usr/bin/env python3
"""Start the course: `python3 learn.py` shows its commands.

Makes the environment .venv beside this file, installs what the command needs into it, and hands
over to `python -m course` in there. Standard library only, because nothing else is there yet. The
environment is changed again only when its list of packages or the Python changes.

Exit status: what the command returns; 3 when the environment cannot be made; 130 after Ctrl-C.
"""

import sys

# The whole file has to parse on an old Python, or all that its user sees is a SyntaxError.
if sys.version_info < (3, 11):  # noqa: UP036
    sys.stderr.write(
        "learn.py: the course needs Python 3.11 or newer, and this is Python %d.%d. "  # noqa: UP031
        "Get a newer one from https://www.python.org/downloads/ or your system's packages, "
        "and start learn.py with it (for example: python3.11 learn.py).\n" % sys.version_info[:2]
    )
    sys.exit(3)

import os
import signal

# PYTHONSAFEPATH keeps Python from looking beside this file.
sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))  # noqa: PTH120 - pathlib is slow

from course import environment
from course.translation import translate

NEEDS = {"chat": "chat", "test": "dev", "notebook": "dev", "bench": "dev"}
"""The list of packages that a command needs, where that is not "lessons"."""

INTERRUPTED = 130


def main(arguments: list[str]) -> int:
    """Make the environment ready and run the course in it; return the exit status."""
    for stream in (sys.stdout, sys.stderr):
        # The path of the checkout may hold what a Windows console cannot show.
        stream.reconfigure(errors="replace")  # type: ignore[union-attr]
    try:
        environment.prepare(NEEDS.get(arguments[0] if arguments else "", "lessons"))
        environment.set_variables()
        return environment.exec_command([str(environment.PYTHON), "-m", "course", *arguments])
    except environment.EnvironmentNotReady as error:
        print(f"learn.py: {error}", file=sys.stderr)
    except OSError as error:
        print(f"learn.py: {environment.explain_os_error(error)}", file=sys.stderr)
    return environment.NOT_READY


if __name__ == "__main__":
    # A plain kill ends an installation as Ctrl-C does, and pip with it.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        print(translate("\nlearn.py: interrupted. Start it again to go on."), file=sys.stderr)
        sys.exit(INTERRUPTED)
