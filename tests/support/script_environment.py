"""Environment variables that name the servers which a script needs."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

from tests.support import lesson_databases, mongodb_stand_in
from tests.support.services import require


@contextlib.contextmanager
def servers_for(script: Path) -> Iterator[None]:
    """Set the environment variables for the servers in the docstring of a script.

    In PostgreSQL a script gets a new database, because it does not remove its tables. For MongoDB a
    stand-in is used if MONGODB_URI is not set.
    """
    text = script.read_text(encoding="utf-8")
    found = {}
    with contextlib.ExitStack() as stack:
        if "Needs:   postgresql" in text:
            found["DATABASE_URL"] = stack.enter_context(lesson_databases.postgresql())
        if "Needs:   mariadb" in text:
            found["MARIADB_URL"] = require("mariadb")
        if "Needs:   redis" in text:
            found["REDIS_URL"] = require("redis")
        if "Needs a MongoDB server" in text:
            found["MONGODB_URI"] = stack.enter_context(mongodb_stand_in.address())
        stack.enter_context(mock.patch.dict(os.environ, found))
        yield
