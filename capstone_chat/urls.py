"""Checks of --database, --redis and --allowed-origins, made before anything connects.

No message quotes more of a URL than its scheme and the names of its parameters: a password with an
unescaped @, : or / ends up in any part of it.
"""

import inspect
import re
from pathlib import Path
from urllib.parse import urlsplit

import sqlalchemy as sa

SQLITE_DRIVERS = ("sqlite", "sqlite+pysqlite")
SERVER_DRIVERS = ("mysql+pymysql", "mariadb+pymysql", "postgresql+psycopg")

DATABASE_FORMS = (
    "give sqlite:///FILE, mysql+pymysql://USER:PASSWORD@HOST/NAME"
    " or postgresql+psycopg://USER:PASSWORD@HOST/NAME"
)
REDIS_FORMS = "give redis://:PASSWORD@HOST:PORT/DB"

ESCAPES = "in a user name or password write @ as %40, : as %3A, / as %2F, # as %23 and ? as %3F"

MAX_PORT = 65_535

DEFAULT_PORTS = {"http": 80, "https": 443}


class UrlError(ValueError):
    """A URL is wrong; the text says what to do and holds no password."""


def parse_database_url(text: str) -> sa.URL:
    """Return the URL of a database that the chat can use.

    Raises:
        UrlError: it is none.
    """
    try:
        url = sa.make_url(text)
    except ValueError:
        raise UrlError(f"the port is not a number; {ESCAPES}") from None
    except sa.exc.ArgumentError:
        raise UrlError(f"this is not the URL of a database; {DATABASE_FORMS}") from None
    if url.drivername in SQLITE_DRIVERS:
        _check_file(url)
    elif url.drivername in SERVER_DRIVERS:
        _check_server(url, text)
    else:
        raise UrlError(f"{url.drivername}:// is not known; {DATABASE_FORMS}")
    return url


def sqlite_url(file: Path) -> sa.URL:
    """Return the URL of an SQLite file. It is made from its parts: in the text of a URL, characters
    such as ? and % of the path would have another meaning."""
    return sa.URL.create("sqlite", database=str(file))


def _check_file(url: sa.URL) -> None:
    if url.host or url.port or url.username:
        raise UrlError(
            "a file has three slashes before a relative path and four before /; sqlite:///FILE"
        )
    name = url.database or ""
    if not name or name.startswith((":memory:", "file:")):
        raise UrlError("the messages must be in a file; give sqlite:///FILE")
    if url.query:
        raise UrlError(
            f"unknown parameter {_first_parameter(url)!r}; give sqlite:///FILE without parameters"
        )


def _check_server(url: sa.URL, text: str) -> None:
    if text.count("@") > 1:
        raise UrlError(f"there is more than one @; {ESCAPES}")
    if url.port is not None and not 1 <= url.port <= MAX_PORT:
        raise UrlError(f"a port is a number from 1 to {MAX_PORT}")
    if not url.database:
        raise UrlError(f"it names no database; {DATABASE_FORMS}")
    for name, value in url.query.items():
        if not _is_parameter(url.set(query={name: value})):
            raise UrlError(f"the parameter {name!r} is unknown or has a wrong value")


def _is_parameter(url: sa.URL) -> bool:
    """Tell whether the driver takes the only parameter of a URL."""
    try:
        arguments, named = url.get_dialect()().create_connect_args(url)
        if url.get_driver_name() == "psycopg":
            from psycopg.conninfo import make_conninfo

            make_conninfo(*arguments, **named)
        else:
            from pymysql.connections import Connection  # type: ignore[import-untyped]

            inspect.signature(Connection).bind(*arguments, **named)
    except ModuleNotFoundError:  # said when the chat connects
        return True
    except Exception:  # each driver has its own
        return False
    return True


def _first_parameter(url: sa.URL) -> str:
    return next(iter(url.query))


def parse_redis_url(text: str) -> str:
    """Return the URL of a Redis after a look at its parts.

    Raises:
        UrlError: it is none.
    """
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise UrlError(f"a port is a number from 1 to {MAX_PORT}; {ESCAPES}") from None
    if parts.scheme == "unix":
        if not parts.path:
            raise UrlError("it names no file; give unix:///FILE")
        return text
    if parts.scheme not in ("redis", "rediss"):
        raise UrlError(f"this is not the URL of a Redis; {REDIS_FORMS}")
    if text.count("@") > 1 or parts.fragment:
        raise UrlError(f"there is more than one @, or a #; {ESCAPES}")
    if not parts.hostname:
        raise UrlError(f"it names no host; {REDIS_FORMS}")
    if port == 0:
        raise UrlError(f"a port is a number from 1 to {MAX_PORT}")
    number = parts.path.strip("/")
    if number and not (number.isascii() and number.isdecimal()):
        raise UrlError(f"DB is a number, such as 0; {ESCAPES}")
    return text


def parse_origin(text: str) -> str:
    """Return an origin as browsers send it: in small letters, without a usual port (RFC 6454, 6.1).

    Args:
        text: the address of a page's host, with or without a slash at its end.

    Raises:
        UrlError: it is not that of one host, or has a path.
    """
    try:
        parts = urlsplit(text.strip())
        port = parts.port
    except ValueError:
        raise UrlError(f"a port is a number from 1 to {MAX_PORT}") from None
    host = parts.netloc.lower().removesuffix(f":{port}")
    if (
        parts.scheme not in DEFAULT_PORTS
        or not re.fullmatch(r"[a-z0-9._-]+|\[[0-9a-f:.]+\]", host)
        or parts.path not in ("", "/")
        or parts.query
        or parts.fragment
    ):
        raise UrlError("give origins such as https://chat.example.org, separated by commas")
    usual = port in (None, DEFAULT_PORTS[parts.scheme])
    return f"{parts.scheme}://{host}" + ("" if usual else f":{port}")
