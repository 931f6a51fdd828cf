"""Command line of the course, which learn.py starts in the environment: `python -m course`."""

import sys

from course import environment
from course.translation import translate


def main() -> None:
    """Run the command line; report a damaged package of the environment in one line.

    Exit status: the command's; 3 if the environment must be made again.
    """
    try:
        if sys.argv[1:2] == ["chat"]:  # the chat needs neither the runner nor its packages
            import runpy

            del sys.argv[1]
            runpy.run_module("capstone_chat", run_name="__main__", alter_sys=True)
        else:
            from course.cli import main as command_line

            command_line()
    except ImportError as error:
        if not (found := environment.find_damage()):
            raise
        print(
            translate(
                "learn.py: a package is damaged: {found} ({error}). Start learn.py again: it "
                "makes the environment anew.",
                found=found,
                error=error,
            ),
            file=sys.stderr,
        )
        sys.exit(environment.NOT_READY)


if __name__ == "__main__":
    main()
