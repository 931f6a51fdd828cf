"""Every option of the chat, with its help: from a file, and from the command line over it."""

import dataclasses
import runpy
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any, TextIO

import sqlalchemy as sa
import tornado.options

LOG_LEVELS = ("debug", "info", "warning", "error", "none")
VAR = Path(__file__).resolve().parent.parent / "var"
"""The data folder unless another one is given: in the checkout, wherever the chat is started."""

TRUE_OR_FALSE = ("", "true", "false", "1", "0")


class OptionError(Exception):
    """An option is wrong; the text says which one and what to do."""


def _option(default: Any, help: str) -> Any:
    return field(default=default, metadata={"help": help})


@dataclass(frozen=True)
class Options:
    """What the chat may be told at start. Durations are in seconds unless a name says otherwise."""

    port: int = _option(8888, "port to listen on; 0 takes a free one")
    address: str = _option("localhost", "address to listen on; 0.0.0.0 for every interface")
    data: str = _option(str(VAR), "folder for the database, the pictures and the cookie secret")
    database: str = _option("", "SQLAlchemy URL; the default is an SQLite file in --data")
    redis: str = _option("", "redis://HOST:PORT/DB: joins the processes that share a --database")
    secure: bool = _option(False, "cookies for HTTPS only: set it behind TLS")
    xheaders: bool = _option(False, "trust X-Forwarded-For and X-Scheme: only behind a proxy")
    session_idle: int = _option(14 * 86_400, "seconds after which an unused session ends")
    session_lifetime: int = _option(90 * 86_400, "seconds after which any session ends")
    captcha_lifetime: int = _option(300, "seconds in which a captcha must be answered")
    password_threads: int = _option(2, "threads that hash passwords and draw captchas")
    send_rate: float = _option(10.0, "messages a second that one user may send for long")
    send_burst: int = _option(40, "messages that one user may send at once")
    request_rate: float = _option(2.0, "logins, registrations, captchas, names, groups: a second")
    request_burst: int = _option(60, "the same, at once, for one address or user")
    signal_rate: float = _option(10.0, "read marks, typing and pings a second of one user")
    signal_burst: int = _option(100, "the same, at once")
    sockets_per_user: int = _option(20, "open sockets that one user may have")
    sockets_per_address: int = _option(1000, "open sockets that one address may have")
    send_buffer: int = _option(1 << 20, "bytes that may wait for a slow reader")
    ping_interval: float = _option(25.0, "seconds between the server's pings to a socket")
    ping_timeout: float = _option(20.0, "seconds after which a silent socket is closed")
    drain: float = _option(
        0.5, "seconds from the first 503 of /readyz to the sockets' end at a stop"
    )
    logging: str = _option("info", "log from this level on: debug, info, warning, error, none")

    @property
    def database_url(self) -> str:
        """The URL of the database: the one that was given, or SQLite's in the data folder."""
        return self.database or f"sqlite:///{Path(self.data).absolute() / 'chat.db'}"

    @property
    def alone(self) -> bool:
        """Whether no other process shares the database, as far as one can tell."""
        return not self.redis and sa.make_url(self.database_url).get_backend_name() == "sqlite"


class _Parser(tornado.options.OptionParser):
    def print_help(self, file: TextIO | None = None) -> None:
        """Print nothing: Tornado would answer a misspelt option with the whole of --help."""


def _help() -> str:
    lines = ["Usage: python -m capstone_chat [--option=value ...]", ""]
    for option in dataclasses.fields(Options):
        left = f"  --{option.name.replace('_', '-')}={option.default}"
        lines.append(f"{left:34}  {option.metadata['help']}")
    lines.append(f"{'  --config=FILE':34}  file of option = value lines; the command line wins")
    return "\n".join(lines)


def parse(arguments: list[str]) -> Options:
    """Read the options from a command line (without the program's name).

    `--config=FILE` names a file of `name = value` lines; the command line wins over it.

    Raises:
        OptionError: an option is unknown or has a bad value.
        SystemExit: `--help` was asked for and has been printed.
    """
    if "--help" in arguments:
        print(_help())
        raise SystemExit(0)
    parser = _Parser()
    parser.define("config", type=str, help="file of option = value lines", metavar="FILE")
    for option in dataclasses.fields(Options):
        parser.define(
            option.name, default=option.default, help=option.metadata["help"], group="chat"
        )
    _take(parser, arguments)
    if parser.config:
        _take(parser, _lines(parser.config))
        _take(parser, arguments)
    if parser.logging.lower() not in LOG_LEVELS:
        raise OptionError(f"--logging={parser.logging}: give one of {', '.join(LOG_LEVELS)}")
    options = Options(**parser.group_dict("chat"))
    if not 0 <= options.port <= 65_535:
        raise OptionError(f"--port={options.port}: a port is a number from 0 to 65535")
    for name, value in dataclasses.asdict(options).items():
        if name != "port" and type(value) in (int, float) and not value > 0:
            raise OptionError(f"--{name}={value}: give a number above 0")
    return options


def _take(parser: tornado.options.OptionParser, arguments: list[str]) -> None:
    for argument in arguments:
        name, _, value = argument.lstrip("-").partition("=")
        try:
            rest = parser.parse_command_line(["capstone_chat", argument], final=False)
        except (tornado.options.Error, ValueError) as error:
            raise OptionError(f"{argument}: {error}; see --help") from error
        if rest:
            raise OptionError(f"unexpected {argument!r}: options look like --port=9000; see --help")
        # Tornado takes every word but false for true.
        if type(getattr(parser, name, None)) is bool and value.lower() not in TRUE_OR_FALSE:
            raise OptionError(f"{argument}: give true or false")


def _lines(path: str) -> list[str]:
    """Return what a config file says, as on a command line. Like Tornado's, it is Python."""
    try:
        values = runpy.run_path(path)
    except OSError as error:
        raise OptionError(f"--config={path}: {error.strerror}") from error
    except Exception as error:  # it is a program and may raise anything
        raise OptionError(f"--config={path}: {error}") from error
    return [
        f"--{name}={value}"
        for name, value in values.items()
        if not (name.startswith("_") or isinstance(value, ModuleType))
    ]


def cookie_secret(data: Path) -> str:
    """Return the secret that signs cookies, made on first start and readable by its owner only.

    Two processes that start at once agree on one secret: the file appears whole or not at all.
    """
    path = data / "secret"
    if not path.exists():
        fresh = data / f"secret.{secrets.token_hex(4)}"
        fresh.touch(mode=0o600)
        fresh.write_text(secrets.token_hex(32))
        try:
            path.hardlink_to(fresh)
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
    secret = path.read_text().strip()
    if len(secret) < 32:
        raise OptionError(f"{path} holds no usable secret: remove the file to have a new one made")
    return secret
