"""Programs and servers beside Python that some tests need, and how they are found.

A test that needs one names it, and is skipped with the reason if it is missing:

    @pytest.mark.service("chromium")
    class LoginPageTest(AsyncHTTPTestCase): ...

A test may name several: `@pytest.mark.service("mariadb", "redis")`. For a whole module:
`pytestmark = pytest.mark.service("nginx")`. Inside a test or a fixture, `require("chromium")` does
the same and returns the path of the program, or the address of the server.

A script, a check or a notebook of the course names them in a line of its own:

    Needs:  nginx, redis

With REQUIRE_SERVICES=1 in the environment, which .ci/run sets, every skip for any reason is a
failure.

By default the servers are expected where .ci/services starts them, with an account for the tests
that may create databases. TEST_MARIADB_URL, TEST_POSTGRESQL_URL and TEST_REDIS_URL name others.
"""

import functools
import os
import re
import shutil
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest

MARIADB_URL = os.environ.get(
    "TEST_MARIADB_URL",
    "mysql+pymysql://learn_tornado:learn_tornado@127.0.0.1:3306/learn_tornado",
)
POSTGRESQL_URL = os.environ.get(
    "TEST_POSTGRESQL_URL",
    "postgresql+psycopg://learn_tornado:learn_tornado@127.0.0.1:5432/learn_tornado",
)
REDIS_URL = os.environ.get("TEST_REDIS_URL", "redis://127.0.0.1:6379/0")
PATIENCE = 20
"""Seconds to wait for an answer of a server, which is on the same machine."""


class MissingServiceError(Exception):
    """A service is missing; the message says which, and how to install it."""


def required() -> bool:
    """Return whether a missing service is a failure instead of a reason to skip."""
    return os.environ.get("REQUIRE_SERVICES", "") not in ("", "0")


@functools.cache
def _look_for(service: str) -> str | MissingServiceError:
    # Failures are cached too, so that the time limit of a silent server passes only once.
    try:
        return SERVICES[service]()
    except MissingServiceError as missing:
        return missing


def find(service: str) -> str:
    """Return the path of the program, or the address of the server, that is called `service`.

    Raises:
        MissingServiceError: it is missing.
        KeyError: `service` is none of SERVICES.
    """
    found = _look_for(service)
    if isinstance(found, MissingServiceError):
        raise found
    return found


def require(service: str) -> str:
    """Return the path of the program, or the address of the server, that is called `service`.

    Skips the running test if it is missing; with REQUIRE_SERVICES=1 a skip is a failure.

    Raises:
        KeyError: `service` is none of SERVICES.
    """
    try:
        return find(service)
    except MissingServiceError as missing:
        pytest.skip(f"needs {service}: {missing}")


def require_needs(file: Path) -> None:
    """Require the services that a file names in its line `Needs:`."""
    needs = re.search(r'^[\s"]*Needs: +([a-z, ]+)', file.read_text(encoding="utf-8"), re.M)
    for service in needs[1].split(",") if needs else ():
        require(service.strip())


def _program(*names: str) -> str:
    # Debian keeps servers in sbin, which is not on every user's PATH.
    path = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])
    for name in names:
        if found := shutil.which(name, path=path):
            return found
    raise MissingServiceError(f"no program {' or '.join(names)} on the PATH")


def _mariadb() -> str:
    import pymysql

    url = urlsplit(MARIADB_URL)
    try:
        pymysql.connect(
            host=url.hostname or "127.0.0.1",
            port=url.port or 3306,
            user=url.username,
            password=url.password or "",
            database=url.path.lstrip("/"),
            connect_timeout=PATIENCE,
        ).close()
    except pymysql.err.OperationalError as error:
        raise MissingServiceError(f"{error.args[-1]} (set TEST_MARIADB_URL)") from error
    return MARIADB_URL


def _galera() -> str:
    for name in "mariadb-install-db", "rsync", "wsrep_sst_rsync":
        _program(name)
    return _program("mariadbd")


def _postgresql() -> str:
    address = POSTGRESQL_URL.replace("+psycopg", "")
    asked = subprocess.run(
        [_program("psql"), address, "--no-password", "--quiet", "--command", "SELECT 1"],
        env={**os.environ, "PGCONNECT_TIMEOUT": str(PATIENCE)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if asked.returncode:
        raise MissingServiceError(f"{asked.stderr.strip()} (set TEST_POSTGRESQL_URL)")
    return POSTGRESQL_URL


def _redis() -> str:
    url = urlsplit(REDIS_URL)
    where = (url.hostname or "127.0.0.1", url.port or 6379)
    try:
        with socket.create_connection(where, timeout=PATIENCE) as connection:
            connection.sendall(b"PING\r\n")
            answer = connection.recv(64)
    except OSError as error:
        raise MissingServiceError(f"{error} at {where} (set TEST_REDIS_URL)") from error
    if not answer.startswith(b"+PONG"):
        raise MissingServiceError(f"{answer!r} in answer to PING (set TEST_REDIS_URL)")
    return REDIS_URL


SERVICES: dict[str, Callable[[], str]] = {
    # The first is Chromium without windows, which saves a fifth of the time.
    "chromium": lambda: _program(
        "chromium-headless-shell", "chromium", "chromium-browser", "google-chrome"
    ),
    "curl": lambda: _program("curl"),
    "node": lambda: _program("node", "nodejs"),
    "haproxy": lambda: _program("haproxy"),
    "galera": _galera,
    "nginx": lambda: _program("nginx"),
    "supervisor": lambda: _program("supervisord"),
    "mariadb": _mariadb,
    "postgresql": _postgresql,
    "redis": _redis,
    "redis-server": lambda: _program("redis-server"),
}
