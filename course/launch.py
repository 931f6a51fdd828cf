"""Run one script as `python SCRIPT` would, with short messages: python -m course.launch SCRIPT ...

A taken port, a wrong option or a missing package is one line, and an error in the script shows the
lines of the script only, not those of the libraries under it.

Exit status: the script's own; 1 when it fails; 2 for a wrong option; 130 when it is interrupted
before it could take care of that itself.
"""

import difflib
import errno
import runpy
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path

FAILED = 1
WRONG_USE = 2
INTERRUPTED = 130


def main() -> int:
    """Run the script that the command line names; return the exit status."""
    script = Path(sys.argv[1]).resolve()
    # What `python SCRIPT` sets: the arguments, and where its imports are looked for first.
    sys.argv = [str(script), *sys.argv[2:]]
    sys.path[0] = str(script.parent)
    _no_help_without_asking()
    try:
        runpy.run_path(str(script), run_name="__main__")
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:
        statuses = [tell(each, script) for each in _single_errors(error)]
        return max(statuses)
    return 0


def tell(error: BaseException, script: Path) -> int:
    """Print what went wrong in `script`, as short as it can be said; return the exit status."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if Path(frame.filename).is_relative_to(script.parent)]
    status = FAILED
    if isinstance(error, SyntaxError):
        message = f"{error.filename}, line {error.lineno}: {error.msg}\n    {error.text or ''}"
    elif isinstance(error, ImportError) and own:
        message = f"{own[-1].filename}, line {own[-1].lineno}: {error}\n    {own[-1].line}"
    elif isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
        port = _port()
        message = (
            f"port {port} is taken: another program listens on it, perhaps a script started "
            f"earlier. Stop that one, or choose another port with --port={port + 1}"
        )
    elif isinstance(error, PermissionError) and 0 < _port() < 1024 and "bind" in str(frames):
        message = f"port {_port()} is only for administrators. Choose one from 1024: --port=8888"
    elif any(Path(frame.filename).parts[-2:] == ("tornado", "options.py") for frame in frames):
        message, status = _wrong_option(error), WRONG_USE
    else:
        lines = traceback.format_list(own) + traceback.format_exception_only(error)
        message = f"{script.name} has failed\n{''.join(lines)}"
    print(f"learn.py: {message.rstrip()}", file=sys.stderr)
    return status


def _wrong_option(error: BaseException) -> str:
    from tornado.options import options

    names = [name.replace("_", "-") for name in options]
    for given in sys.argv[1:]:
        name = given.lstrip("-").partition("=")[0].replace("_", "-")
        if name not in names:
            close = [f"--{match}" for match in difflib.get_close_matches(name, names)]
            offer = f"Did you mean {' or '.join(close)}?" if close else "--help lists all options."
            return f"there is no option --{name}. {offer}"
    frames = traceback.extract_tb(error.__traceback__)
    in_file = any(frame.name == "parse_config_file" for frame in frames)
    where = "the options file" if in_file else f"'{' '.join(sys.argv[1:])}'"
    return f"wrong option in {where}: {error}"


def _no_help_without_asking() -> None:
    # Tornado prints the help of every option, its own too, before it complains about one.
    from tornado.options import OptionParser

    print_help = OptionParser.print_help

    def when_asked(parser: OptionParser, *arguments: object) -> None:
        if "--help" in sys.argv:
            print_help(parser, *arguments)  # type: ignore[arg-type]

    OptionParser.print_help = when_asked  # type: ignore[assignment, method-assign]


def _port() -> int:
    from tornado.options import options

    return int(options.port) if "port" in options else 0


def _single_errors(error: BaseException) -> Iterator[BaseException]:
    # A task group wraps what its tasks raise.
    if isinstance(error, BaseExceptionGroup):
        for each in error.exceptions:
            yield from _single_errors(each)
    else:
        yield error


if __name__ == "__main__":
    sys.exit(main())
