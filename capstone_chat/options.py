"""The chat's options: defaults, help, parsing of the command line and of a configuration file."""

import dataclasses
import math
import re
import runpy
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any, TextIO

import sqlalchemy as sa
import tornado.options

from capstone_chat import __version__, urls

LOG_LEVELS = ("debug", "info", "warning", "error", "none")
PROJECT_DIR = Path(__file__).resolve().parent.parent

DEFAULT_DATA_DIR = PROJECT_DIR / "var" if (PROJECT_DIR / "learn.py").is_file() else Path("var")
"""The default data folder: in the checkout, whatever the current folder is; for an installed
package, in the current folder."""

LOOPBACK = ("localhost", "127.0.0.1", "::1", "[::1]")
"""Values of --address at which only this computer can reach the chat."""

TRUE_OR_FALSE = ("", "true", "false", "1", "0")

MAX_NUMBER = 10**9
"""Maximum value of a numeric option. As a number of seconds (31 years) it fits into a database."""

MAX_THREADS = 256

MAX_SHOWN = 80
"""Number of characters of an invalid option that an error message shows."""

MIN_SECRET_LENGTH = 32
MAX_SECRET_LENGTH = 1024
"""Limits of the length of a cookie secret, in characters."""


LOGIN_CAPTCHA = ("always", "needed")
"""Values of `login_captcha`."""


class OptionError(Exception):
    """An option is invalid; the message names the option and has advice."""


def _option(default: Any, help: str) -> Any:
    return field(default=default, metadata={"help": help})


@dataclass(frozen=True)
class Options:
    """The options of the chat. Durations are in seconds."""

    port: int = _option(8888, "port to listen on; 0 takes a free one")
    address: str = _option("localhost", "address to listen on; 0.0.0.0 for every interface")
    data: str = _option(
        str(DEFAULT_DATA_DIR), "folder for the database, the pictures and the cookie secret"
    )
    database: str = _option("", "SQLAlchemy URL; the default is an SQLite file in --data")
    demo: bool = _option(
        False, "a new temporary folder (or an empty --data) with people, and links that log you in"
    )
    redis: str = _option(
        "", "redis://HOST:PORT/DB or redis+cluster://HOST:PORT,...: joins processes"
    )
    secure: bool = _option(False, "cookies and page origins for HTTPS only: set it behind TLS")
    allowed_origins: str = _option(
        "", "further origins of the page, as https://NAME: those of a proxy that changes Host"
    )
    xheaders: bool = _option(False, "trust X-Forwarded-For and X-Scheme: only behind a proxy")
    session_idle: int = _option(14 * 86_400, "seconds after which an unused session ends")
    session_lifetime: int = _option(90 * 86_400, "seconds after which any session ends")
    captcha_lifetime: int = _option(300, "seconds in which a captcha must be answered")
    login_captcha: str = _option(
        "always", "always, or needed: a login in a known browser without failures has no captcha"
    )
    purge_interval: float = _option(3600.0, "seconds between two purges, on average; see README")
    password_threads: int = _option(2, "threads that hash passwords")
    send_rate: float = _option(10.0, "messages a second that one user may send for long")
    send_burst: int = _option(40, "messages that one user may send at once")
    request_rate: float = _option(2.0, "logins, registrations, captchas, names, groups: a second")
    request_burst: int = _option(60, "the same, at once, for one address or user")
    read_rate: float = _option(20.0, "API reads and socket handshakes a second of one user")
    read_burst: int = _option(300, "the same, at once; ten pictures count as one read")
    signal_rate: float = _option(10.0, "read marks, typing and pings a second of one user")
    signal_burst: int = _option(100, "the same, at once")
    frame_rate: float = _option(100.0, "WebSocket frames of any kind a second of one user")
    frame_burst: int = _option(400, "the same, at once; more close the socket")
    sockets_per_user: int = _option(20, "open sockets that one user may have")
    sockets_per_address: int = _option(1000, "open sockets that one address may have")
    connections: int = _option(
        10_000, "open connections, sockets included; fewer if the system allows fewer (Windows 472)"
    )
    connections_per_address: int = _option(
        2000, "the same, of one address; with --xheaders the proxy has to limit them"
    )
    header_timeout: float = _option(
        30.0, "seconds in which a connection must send the head of its next request"
    )
    body_timeout: float = _option(30.0, "seconds in which its body must follow; a picture: 4 times")
    response_timeout: float = _option(60.0, "seconds in which a client must take an answer")
    send_buffer: int = _option(1 << 20, "bytes that may wait for a slow reader")
    ping_interval: float = _option(25.0, "seconds between the server's pings to a socket")
    ping_timeout: float = _option(20.0, "seconds after which a silent socket is closed")
    drain: float = _option(
        0.5, "seconds from the first 503 of /readyz to the sockets' end at a stop"
    )
    logging: str = _option("info", "log from this level on: debug, info, warning, error, none")

    @property
    def database_url(self) -> sa.URL:
        """The URL of the database: `database`, or an SQLite file in the data folder."""
        if self.database:
            return sa.make_url(self.database)
        return urls.sqlite_url(Path(self.data).absolute() / "chat.db")

    @property
    def database_source(self) -> str:
        """The option that determines the database, for messages, without its password."""
        if not self.database:
            return f"--data={self.data}: {Path(self.data).absolute() / 'chat.db'}"
        return f"--database={hide_password(self.database_url.render_as_string())}"

    @property
    def origins(self) -> frozenset[str]:
        """The origins of `allowed_origins`, which are separated by commas, as browsers send them.

        Raises:
            UrlError: one of them is not an origin.
        """
        return frozenset(map(urls.parse_origin, filter(None, self.allowed_origins.split(","))))

    @property
    def is_single_process(self) -> bool:
        """Whether no other process shares the database, as far as the options show."""
        return not self.redis and self.database_url.get_backend_name() == "sqlite"


class _Parser(tornado.options.OptionParser):
    def print_help(self, file: TextIO | None = None) -> None:
        """Print nothing: Tornado prints the complete help after a misspelt option."""


def _help() -> str:
    lines = ["Usage: python -m capstone_chat [--option=value ...]", ""]
    for option in dataclasses.fields(Options):
        left = f"  --{option.name.replace('_', '-')}={option.default}"
        lines.append(f"{left:34}  {option.metadata['help']}")
    lines.append(f"{'  --config=FILE':34}  file of option = value lines; the command line wins")
    lines.append(f"{'  --version':34}  print the version and exit")
    return "\n".join(lines)


def parse(arguments: list[str]) -> Options:
    """Parse the options from a command line (without the program's name).

    `--config=FILE` names a file of `name = value` lines; the command line takes precedence.

    Raises:
        OptionError: an option is unknown or has a bad value.
        SystemExit: `--help` or `--version` was given, and the answer has been printed.
    """
    given = {_option_name(argument) for argument in arguments}
    if given & {"help", "h", "version"}:
        print(_help() if given & {"help", "h"} else f"capstone_chat {__version__}")
        raise SystemExit(0)
    parser = _Parser()
    parser.define("config", type=str, help="file of option = value lines", metavar="FILE")
    for option in dataclasses.fields(Options):
        parser.define(
            option.name, default=option.default, help=option.metadata["help"], group="chat"
        )
    _apply(parser, arguments)
    if "config" in given:
        _apply(parser, _config_arguments(parser.config))
        _apply(parser, arguments)
    options = Options(**parser.group_dict("chat"))
    _validate(options)
    return options


def _option_name(argument: str) -> str:
    """Return the name of the option that an argument sets, or "" if it sets none."""
    dashes, name = argument[:1], argument.lstrip("-").partition("=")[0]
    return name.replace("-", "_") if dashes == "-" else ""


def _apply(parser: tornado.options.OptionParser, arguments: list[str]) -> None:
    for argument in arguments:
        name, value = _option_name(argument), argument.partition("=")[2]
        if not name:
            raise OptionError(
                f"unexpected {_shown(argument)!r}: options look like --port=9000; see --help"
            )
        kind = type(getattr(parser, name)) if name in parser else None
        if kind is None or name == "help":  # the message omits the value: it may hold a password
            raise OptionError(f"there is no option {_shown(name)!r}; see --help")
        if kind in (int, float) and "=" in argument and not _is_number(kind, value):
            number = "a whole number" if kind is int else "a number"
            raise OptionError(f"{_shown(argument)}: write {number} with the digits 0 to 9")
        try:
            parser.parse_command_line(["capstone_chat", argument], final=False)
        except (tornado.options.Error, ValueError) as error:
            reason = "requires a value" if "=" not in argument else f"{_shown(str(error))}"
            raise OptionError(f"{_shown(argument)}: {reason}; see --help") from error
        # Tornado parses every word except false (f, 0) as true.
        if kind is bool and value.lower() not in TRUE_OR_FALSE:
            raise OptionError(f"{_shown(argument)}: give true or false")


def _is_number(kind: type[int] | type[float], value: str) -> bool:
    """Return whether a value is a number of this kind, in ASCII and without underscores."""
    try:
        kind(value)
    except ValueError:
        return False
    return value.isascii() and "_" not in value


def _shown(text: str) -> str:
    """Return a text for an error message: shortened, without passwords and control characters."""
    text = "".join(c if c.isprintable() else "?" for c in hide_password(text))
    return text if len(text) <= MAX_SHOWN else text[:MAX_SHOWN] + "..."


def hide_password(text: str) -> str:
    """Replace the password of a URL in a text by asterisks, even if the password is not escaped.

    It may also be a parameter: password, passwd, sslpassword.
    """
    text = re.sub(r"(://[^:/@\s]*):.*@", r"\1:***@", text, flags=re.DOTALL)
    return re.sub(r"(passw(?:or)?d=)[^&\s]*", r"\1***", text)


def _validate(options: Options) -> None:
    """Check that the values are in their ranges.

    Raises:
        OptionError: an option has an invalid value.
    """
    if options.login_captcha not in LOGIN_CAPTCHA:
        raise OptionError(
            f"--login-captcha={_shown(options.login_captcha)}: "
            f"give one of {', '.join(LOGIN_CAPTCHA)}"
        )
    if options.logging.lower() not in LOG_LEVELS:
        raise OptionError(
            f"--logging={_shown(options.logging)}: give one of {', '.join(LOG_LEVELS)}"
        )
    if not 0 <= options.port <= urls.MAX_PORT:
        raise OptionError(f"--port={_shown(str(options.port))}: a port is a number from 0 to 65535")
    for name, value in dataclasses.asdict(options).items():
        if name == "port" or type(value) not in (int, float):
            continue
        greatest = MAX_THREADS if name == "password_threads" else MAX_NUMBER
        shown = f"--{name.replace('_', '-')}={_shown(str(value))}"
        if not (value > 0 and math.isfinite(value)):
            raise OptionError(f"{shown}: give a number above 0")
        if value > greatest:
            raise OptionError(f"{shown}: give a number up to {greatest}")
    if not _is_address(options.address):
        address = _shown(options.address)
        raise OptionError(f"--address={address}: give an address, as --address=localhost")
    if not options.data.strip() or "\0" in options.data:
        raise OptionError("--data: give a folder, as --data=DIR")
    if options.allowed_origins:
        check_url("--allowed-origins", lambda _text: options.origins, options.allowed_origins)
    if options.database:
        check_url("--database", urls.parse_database_url, options.database)
    if options.redis:
        check_url("--redis", urls.redis_servers, options.redis)
    if options.demo:
        _validate_demo(options)


def _validate_demo(options: Options) -> None:
    """Check that a demo can reach no real chat, and that no other computer can reach the demo.

    Raises:
        OptionError: an option does not go together with `--demo`.
    """
    for name in "database", "redis":
        if getattr(options, name):
            raise OptionError(f"--demo: the demo has its own database; start it without --{name}")
    if options.address.strip() not in LOOPBACK:
        address = _shown(options.address)
        raise OptionError(f"--demo --address={address}: the demo is for this computer only")


def _is_address(text: str) -> bool:
    """Return whether a text has the form of an address; whether it exists is not checked."""
    try:
        return bool(text.strip()) and text.isprintable() and bool(text.encode("idna"))
    except UnicodeError:  # a label that is empty or longer than 63 characters
        return False


def check_url(option: str, check: Callable[[str], object], url: str) -> None:
    """Check the URL of an option with a function of `urls`.

    Raises:
        OptionError: the URL is wrong.
    """
    try:
        check(url)
    except urls.UrlError as error:
        raise OptionError(f"{option}: {error}") from None


def _config_arguments(path: str) -> list[str]:
    """Run a configuration file, which is Python as in Tornado; return its values as arguments."""
    if not path or "\0" in path:
        raise OptionError("--config: give a file, as --config=FILE")
    try:
        if Path(path).is_dir():
            raise OptionError(f"--config={_shown(path)}: this is a folder; give a file")
        values = runpy.run_path(path)
    except OSError as error:
        raise OptionError(f"--config={_shown(path)}: {error.strerror}") from error
    except OptionError:
        raise
    except (Exception, SystemExit) as error:  # a program may raise any exception
        raise OptionError(f"--config={_shown(path)}: {_shown(str(error))}") from error
    return [
        f"--{name}={value}"
        for name, value in values.items()
        if not (name.startswith("_") or isinstance(value, ModuleType))
    ]


def load_or_create_secret(data: Path) -> str:
    """Return the secret that signs cookies; create its file, with mode 0600, on the first start.

    Two processes that start at the same time get the same secret, because the file is created
    atomically with its content.

    Raises:
        OptionError: the file cannot be created or read, or holds no secret.
    """
    path = data / "secret"
    try:
        if not path.exists():
            _create_secret(path)
        if not path.is_file():  # reading a named pipe would block forever
            raise OptionError(f"--data={data}: {path} is not a file: remove it")
        with path.open("rb") as file:
            secret = file.read(MAX_SECRET_LENGTH + 1).decode("ascii").strip()
    except UnicodeDecodeError:
        secret = ""
    except OSError as error:
        raise OptionError(
            f"--data={data}: {path}: {error.strerror}; give another folder"
        ) from error
    if not (MIN_SECRET_LENGTH <= len(secret) <= MAX_SECRET_LENGTH and secret.isprintable()):
        raise OptionError(
            f"--data={data}: {path} holds no usable secret: remove the file to have a new one made"
        )
    return secret


def _create_secret(path: Path) -> None:
    fresh = path.with_name(f"secret.{secrets.token_hex(4)}")
    try:
        fresh.touch(mode=0o600)
        fresh.chmod(0o600)  # the umask may have removed the owner's permissions
        fresh.write_text(secrets.token_hex(32))
        try:
            path.hardlink_to(fresh)
        except OSError:  # the file exists, or the file system has no hard links, such as vfat
            if not (path.exists() or path.is_symlink()):
                fresh.rename(path)
    finally:
        fresh.unlink(missing_ok=True)
