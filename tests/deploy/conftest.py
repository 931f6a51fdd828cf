"""The deployed chat, started once for the tests of a module, and people with browsers."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.deploy.stack import Stack, own_database, serving
from tests.support.browser_person import Person, close_without_errors
from tests.support.browser_profiles import Profiles

# Milliseconds. Less than the page waits for a pong: that would heal what Redis must carry.
expect.set_options(timeout=30_000)


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with own_database() as url, serving(tmp_path_factory.mktemp("chat"), url) as stack:
        yield stack


@pytest.fixture
def person(browser: Browser, stack: Stack) -> Iterator[Callable[[str], Person]]:
    """Makes people; an error that one of their pages reports fails the test."""
    people: list[Person] = []

    def make(nickname: str) -> Person:
        someone = Person(Profiles(browser), stack, nickname, own_profile=True, network_errors=True)
        people.append(someone)
        return someone

    yield make
    close_without_errors(people)
