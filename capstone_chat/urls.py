"""Validation of --database, --redis and --allowed-origins before anything connects.

A message quotes only the scheme of a URL and the names of its parameters, because parts of a
password with an unescaped @, : or / may be parsed as any other part of the URL.
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
CLUSTER_FORMS = "give redis+cluster://:PASSWORD@HOST:PORT,HOST:PORT"

ESCAPES = "in a user name or password write @ as %40, : as %3A, / as %2F, # as %23 and ? as %3F"

MAX_PORT = 65_535

DEFAULT_PORTS = {"http": 80, "https": 443}


class UrlError(ValueError):
    """A URL is invalid; the message has advice and holds no password."""


def parse_database_url(text: str) -> sa.URL:
    """Parse and validate the URL of a database.

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
    """Return the URL of an SQLite file.

    The URL is made from its parts, because characters of the path such as ? and % have another
    meaning in the text of a URL.
    """
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
        first = next(iter(url.query))
        raise UrlError(f"unknown parameter {first!r}; give sqlite:///FILE without parameters")


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
    """Return whether the driver accepts the only parameter of a URL."""
    try:
        arguments, named = url.get_dialect()().create_connect_args(url)
        if url.get_driver_name() == "psycopg":
            from psycopg.conninfo import make_conninfo

            make_conninfo(*arguments, **named)
        else:
            from pymysql.connections import Connection  # type: ignore[import-untyped]

            inspect.signature(Connection).bind(*arguments, **named)
    except ModuleNotFoundError:  # reported when the chat connects
        return True
    except Exception:  # each driver raises its own type
        return False
    return True


def is_redis_cluster(text: str) -> bool:
    """Return whether a URL of Redis names servers of a cluster."""
    return text.partition("://")[0] in ("redis+cluster", "rediss+cluster")


def redis_servers(text: str) -> list[str]:
    """Return the URLs of the Redis servers that a URL names, after validation of its parts.

    Args:
        text: the URL of one server, or `redis+cluster://` with servers separated by commas.

    Raises:
        UrlError: it is none.
    """
    if not is_redis_cluster(text):
        return [_parse_redis_server(text)]
    user, at, rest = text.partition("://")[2].rpartition("@")
    hosts, path, query = re.fullmatch(r"([^/?]*)/?([^?]*)(.*)", rest, re.DOTALL).groups()  # type: ignore[union-attr]
    if path.strip("/") not in ("", "0"):
        raise UrlError(f"a cluster has no DB but 0; {CLUSTER_FORMS}")
    if not all(host.strip() for host in hosts.split(",")):
        raise UrlError(f"it names no host; {CLUSTER_FORMS}")
    scheme = text.partition("+")[0]
    return [
        _parse_redis_server(f"{scheme}://{user}{at}{host.strip()}{query}")
        for host in hosts.split(",")
    ]


def _parse_redis_server(text: str) -> str:
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
    """Return an origin in the form that browsers send (RFC 6454, 6.1).

    The form is in lower case, without the default port of the scheme.

    Args:
        text: the scheme and the host of a page, with or without a slash at the end.

    Raises:
        UrlError: the text is no origin.
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
