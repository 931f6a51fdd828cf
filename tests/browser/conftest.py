"""Chromium, a running chat, and people who use it."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.support.browser_person import DESKTOP, Person, close_without_errors
from tests.support.browser_profiles import Profiles
from tests.support.chat_server import ChatServer, serving
from tests.support.services import require

expect.set_options(timeout=30_000)  # milliseconds; two cores may be busy


@pytest.fixture(scope="session")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChatServer]:
    """A chat for all tests that leave it running."""
    require("chromium")
    with serving(tmp_path_factory.mktemp("chat")) as server:
        yield server


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[ChatServer]:
    """A chat that the test may kill."""
    require("chromium")
    with serving(tmp_path) as server:
        yield server


@pytest.fixture(scope="session")
def all_profiles(chromium: Browser) -> Profiles:
    return Profiles(chromium)


@pytest.fixture(scope="module")
def profiles(browser: Browser, all_profiles: Profiles) -> Profiles:
    """Browser profiles that go from test to test."""
    return all_profiles


@pytest.fixture
def person(profiles: Profiles, request: pytest.FixtureRequest) -> Iterator[Callable[..., Person]]:
    """Makes people. Any error that one of their pages has reported fails the test."""
    people: list[Person] = []

    def make(nickname: str = "Ann", *, own_profile: bool = False, **options: Any) -> Person:
        own_server = "own_server" in request.fixturenames
        server = request.getfixturevalue("own_server" if own_server else "shared_server")
        made = Person(profiles, server, nickname, own_profile=own_profile or own_server, **options)
        people.append(made)
        return made

    yield make
    close_without_errors(people)


@pytest.fixture
def ann(person: Callable[..., Person]) -> Person:
    """Somebody who has arrived, and who may see errors of the network."""
    ann: Person = person("Ann Walker", network_errors=True)
    return ann.arrive()


@pytest.fixture
def new_page(profiles: Profiles) -> Iterator[Callable[..., Page]]:
    """Makes pages, each of a browser that knows nothing.

    `own_profile=True` is for a test that alters the browser, as with `Person`.
    """
    contexts: list[BrowserContext] = []

    def make(*, own_profile: bool = False, **look: Any) -> Page:
        look = {"viewport": DESKTOP, "color_scheme": "light"} | look
        context = (profiles.new if own_profile else profiles.take)(**look)
        contexts.append(context)
        page = context.pages[0]
        page.set_default_timeout(30_000)
        return page

    yield make
    for context in contexts:
        profiles.give_back(context)


@pytest.fixture
def fresh_page(new_page: Callable[..., Page]) -> Page:
    """One such page."""
    return new_page()
