"""A PostgreSQL of our own for a moment, to see how it checks passwords: the machine's may not."""

import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

OWNER = "postgres"  # who runs it where the tests run as root: PostgreSQL refuses to be root


def program(name: str) -> str:
    """Skips the test where it is missing."""
    places = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    path = os.pathsep.join([os.environ.get("PATH", ""), *map(str, places)])
    found = shutil.which(name, path=path)
    if found is None:
        pytest.skip(f"needs {name}, a program of PostgreSQL's server")
    return found


def as_owner(*command: str) -> None:
    if os.geteuid() == 0:
        command = ("setpriv", f"--reuid={OWNER}", f"--regid={OWNER}", "--clear-groups", *command)
    subprocess.run(command, check=True, capture_output=True, cwd="/")


@contextlib.contextmanager
def running(password: str, rules: str) -> Iterator[str]:
    """Start one on a socket in a folder, with this pg_hba.conf; give its address (no password).

    Its superuser is called owner.
    """
    initdb, control = program("initdb"), program("pg_ctl")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if os.geteuid() == 0:
            shutil.chown(folder, OWNER)
        secret = folder / "password"
        secret.write_text(password, encoding="utf-8")
        secret.chmod(0o644)
        data = str(folder / "data")
        as_owner(
            initdb, "--no-sync", "-U", "owner", f"--pwfile={secret}", "-A", "scram-sha-256", data
        )
        (folder / "data" / "pg_hba.conf").write_text(rules, encoding="utf-8")
        options = f"-c listen_addresses='' -c unix_socket_directories={folder} -c fsync=off"
        as_owner(control, "-D", data, "-l", f"{folder}/log", "-o", options, "-w", "start")
        try:
            yield f"postgresql://owner@/postgres?host={folder}"
        finally:
            as_owner(control, "-D", data, "-m", "immediate", "-w", "stop")
