"""Ports: a free one for a program that is about to be started, and whether a program listens."""

import contextlib
import random
import socket
import sys

QUIET_PORTS = range(20_000, 32_768)
"""Ports that no system gives to outgoing connections by default. Such a connection could take a
port between the check that it is free and the start of the script."""


def free_port(wanted: int) -> int:
    """Return a port on which nothing listens.

    Args:
        wanted: returned if it is free; 0 for any port.
    """
    for port in (*([wanted] if wanted else []), *random.sample(QUIET_PORTS, 20), 0):
        with socket.socket() as one:
            # With SO_REUSEADDR a port whose server has just ended counts as free. On Windows it
            # always does, and the option would let two programs listen on one port.
            if sys.platform != "win32":
                one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with contextlib.suppress(OSError):
                one.bind(("127.0.0.1", port))
                found: int = one.getsockname()[1]
                return found
    raise OSError("there is no free port")


def is_listening(port: int) -> bool:
    """Return whether a server listens on this port of 127.0.0.1."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False
