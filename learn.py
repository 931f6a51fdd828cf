#!/usr/bin/env python3
"""Start the course: `python3 learn.py` opens the tour, `--help` shows the commands.

The script makes the environment .venv beside this file, installs the packages that the command
needs, and runs `python -m course` in the environment. It uses the standard library only, because no
package is installed yet. The environment is changed again only when its list of packages or the
version of Python changes.

Exit status: that of the command; 3 if the environment cannot be made; 130 after Ctrl-C.
"""

import sys

# The whole file must parse on an old Python: otherwise the user sees only a SyntaxError.
if sys.version_info < (3, 11):  # noqa: UP036
    sys.stderr.write(
        "learn.py: the course needs Python 3.11 or newer, and this is Python %d.%d. "  # noqa: UP031
        "Get a newer one from https://www.python.org/downloads/ or your system's packages, "
        "and start learn.py with it (for example: python3.11 learn.py).\n" % sys.version_info[:2]
    )
    sys.exit(3)

import os
import signal

# With PYTHONSAFEPATH Python does not search this file's folder, which holds the package `course`.
sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))  # noqa: PTH120 - pathlib is slow

from course import environment
from course.translation import translate

NEEDS = {"chat": "chat", "test": "dev", "notebook": "dev", "bench": "dev"}
"""The list of packages for each command that needs another one than "lessons"."""

INTERRUPTED = 130


def main(arguments: list[str]) -> int:
    """Prepare the environment and run the course in it; return the exit status."""
    for stream in (sys.stdout, sys.stderr):
        # The path of the checkout may hold characters that a Windows console cannot show.
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
    # SIGTERM ends an installation as Ctrl-C does, and pip with it.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        print(translate("\nlearn.py: interrupted. Start it again to go on."), file=sys.stderr)
        sys.exit(INTERRUPTED)
