"""The database of the tests of the chat."""

from collections.abc import Generator
from pathlib import Path

import pytest

from tests.capstone import databases


def pytest_sessionstart() -> None:
    databases.check_choice()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """On a server leave out what is about SQLite itself: it would say the same as without one."""
    if not databases.is_server():
        return
    ours = Path(__file__).parent
    left = [
        item
        for item in items
        if ours in item.path.parents
        and isinstance(item, pytest.Function)
        and getattr(item.cls, "only_sqlite", False)
    ]
    items[:] = [item for item in items if item not in left]
    config.hook.pytest_deselected(items=left)


@pytest.fixture(scope="session", autouse=True)
def _no_database_stays_behind() -> Generator[None, None, None]:
    yield
    databases.drop_all()
