"""Where a script finds the servers that its docstring says it needs: named in the environment."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

from tests.support import lesson_databases, mongodb_stand_in
from tests.support.services import require


@contextlib.contextmanager
def servers_for(script: Path) -> Iterator[None]:
    """Name the servers of tests/support/services.py in the environment of a script that needs them.

    In PostgreSQL it gets a database of its own, for a script leaves its tables behind.
    There is always a MongoDB: a stand-in, where MONGODB_URI names no server.
    """
    text = script.read_text(encoding="utf-8")
    found = {}
    with contextlib.ExitStack() as stack:
        if "Needs:   postgresql" in text:
            found["DATABASE_URL"] = stack.enter_context(lesson_databases.postgresql())
        if "Needs:   redis" in text:
            found["REDIS_URL"] = require("redis")
        if "Needs a MongoDB server" in text:
            found["MONGODB_URI"] = stack.enter_context(mongodb_stand_in.address())
        stack.enter_context(mock.patch.dict(os.environ, found))
        yield
