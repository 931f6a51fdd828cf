"""Run one script as `python SCRIPT` does, with short error messages.

    python -m course.script_launcher SCRIPT [OPTION ...]

A port in use, a wrong option or a missing package is reported in one line. The traceback of an
error in the script holds the script's own lines only, not those of libraries.

Exit status: the script's own; 1 if it raises; 2 for a wrong option; 130 if Ctrl-C interrupts it
before it handles KeyboardInterrupt itself.
"""

import difflib
import errno
import re
import runpy
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path

from course.translation import translate

PORT_IN_USE = "is in use: another program listens on it"
"""A part of each message about a port that another program uses."""
FAILED = 1
USAGE_ERROR = 2
INTERRUPTED = 130
TORNADO_OPTIONS = ("define(",)
OTHER_OPTIONS = ("argv", "argparse")


def main() -> int:
    """Run the script that the command line names; return the exit status."""
    script = Path(sys.argv[1]).resolve()
    # As `python SCRIPT` sets them: the arguments, and the first folder in which imports are found.
    sys.argv = [str(script), *sys.argv[2:]]
    sys.path[0] = str(script.parent)
    _suppress_implicit_help()
    if len(sys.argv) > 1 and not has_options(script):
        print(
            translate("learn.py: {name} has no options, and takes none.", name=script.name),
            file=sys.stderr,
        )
        return USAGE_ERROR
    reason = _misunderstood(sys.argv[1:]) if has_options(script, TORNADO_OPTIONS) else ""
    if reason:
        print(f"learn.py: {reason}", file=sys.stderr)
        return USAGE_ERROR
    try:
        runpy.run_path(str(script), run_name="__main__")
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:
        statuses = [print_error(each, script) for each in _flatten_group(error)]
        return max(statuses)
    return 0


def has_options(script: Path, signs: tuple[str, ...] = (*TORNADO_OPTIONS, *OTHER_OPTIONS)) -> bool:
    """Return whether a script reads its command line; the first scripts of the course do not.

    Args:
        script: the file.
        signs: the texts of which a script that reads it contains one.
    """
    try:
        text = script.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return True  # running the file reports the error
    return any(sign in text for sign in signs)


def print_error(error: BaseException, script: Path) -> int:
    """Print a short message about an exception of `script`; return the exit status."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if Path(frame.filename).is_relative_to(script.parent)]
    status = FAILED
    if isinstance(error, SyntaxError):
        message = _at_line(error.filename, error.lineno, error.msg, error.text)
    elif isinstance(error, ImportError) and own:
        message = _at_line(own[-1].filename, own[-1].lineno, str(error), own[-1].line)
    elif isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
        message = _port_in_use()
    elif isinstance(error, PermissionError) and 0 < _port() < 1024 and "bind" in str(frames):
        message = translate(
            "port {port} is only for administrators. Choose one from 1024: --port=8888",
            port=_port(),
        )
    elif any(Path(frame.filename).parts[-2:] == ("tornado", "options.py") for frame in frames):
        message, status = _wrong_option(error), USAGE_ERROR
    else:
        lines = traceback.format_list(own) + traceback.format_exception_only(error)
        message = translate("{name} has failed", name=script.name) + "\n" + "".join(lines)
    print(f"learn.py: {message.rstrip()}", file=sys.stderr)
    return status


def _at_line(file: str | None, line: int | None, message: str, source: str | None) -> str:
    where = translate("{file}, line {number}", file=file, number=line)
    return f"{where}: {message}\n    {source or ''}"


def _port_in_use() -> str:
    if not (port := _port()):
        return translate(
            "the port is in use: another program listens on it, perhaps a script that you started "
            "earlier. Stop that one with Ctrl-C in its terminal."
        )
    return translate(
        "port {port} is in use: another program listens on it, perhaps a script that you started "
        "earlier. Stop that one with Ctrl-C in its terminal, or choose another port: "
        "--port={other}",
        port=port,
        other=port + 1,
    )


def _wrong_option(error: BaseException) -> str:
    from tornado.options import options

    names = [name.replace("_", "-") for name in options]
    for given in sys.argv[1:]:
        name = given.lstrip("-").partition("=")[0].replace("_", "-")
        if name not in names:
            close = [f"--{match}" for match in difflib.get_close_matches(name, names)]
            message = translate("there is no option --{name}.", name=name)
            if close:
                offer = translate("Did you mean {labels}?", labels=translate(" or ").join(close))
            else:
                offer = translate("--help lists all options.")
            return f"{message} {offer}"
    frames = traceback.extract_tb(error.__traceback__)
    in_file = any(frame.name == "parse_config_file" for frame in frames)
    if in_file:
        return translate("wrong option in the options file: {error}", error=error)
    given = " ".join(sys.argv[1:])
    if any(frame.name == "_parse_timedelta" for frame in frames):  # its errors have no message
        return translate(
            'wrong option in \'{given}\': a length of time is written as "90s" or "1m 30s"',
            given=given,
        )
    return translate("wrong option in '{given}': {error}", given=given, error=error)


def _misunderstood(arguments: list[str]) -> str:
    """Return why Tornado would not do what the arguments say, without an error; or ""."""
    for given in arguments:
        name, _, value = given.partition("=")
        if not given.startswith("-"):  # Tornado ignores it and all that follow
            return translate(
                "'{given}' is no option. An option begins with --, such as --port=9000; a value "
                'with a space needs quotes, such as --period="1m 30s"',
                given=given,
            )
        is_port = name.lstrip("-") == "port" and re.fullmatch(r"-?\d+", value)
        if is_port and not 0 <= int(value) < 2**16:  # the system would take the lower 16 bits
            return translate("there is no port {port}. Ports end at 65535.", port=value)
    return ""


def _suppress_implicit_help() -> None:
    # Before the error about an unknown option, Tornado prints the help of all options.
    from tornado.options import OptionParser

    print_help = OptionParser.print_help

    def when_asked(parser: OptionParser, *arguments: object) -> None:
        if "--help" in sys.argv:
            print_help(parser, *arguments)  # type: ignore[arg-type]

    OptionParser.print_help = when_asked  # type: ignore[assignment, method-assign]


def _port() -> int:
    from tornado.options import options

    return int(options.port) if "port" in options else 0


def _flatten_group(error: BaseException) -> Iterator[BaseException]:
    # A task group wraps the exceptions of its tasks.
    if isinstance(error, BaseExceptionGroup):
        for each in error.exceptions:
            yield from _flatten_group(each)
    else:
        yield error


if __name__ == "__main__":
    sys.exit(main())
