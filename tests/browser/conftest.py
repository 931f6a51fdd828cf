"""Chromium, a running chat, and people who use it."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.browser.person import DESKTOP, Person
from tests.browser.profiles import Profiles
from tests.browser.serving import ChatServer, serving
from tests.services import require

expect.set_options(timeout=15_000)  # milliseconds; two cores may be busy

# Of Playwright's own list, what matters here: a second `--disable-features` replaces the first.
# And the parts of Chromium's window that are web pages themselves: nobody looks at them, and they
# cost more than the page under test.
FEATURES_OFF = [
    "AvoidUnnecessaryBeforeUnloadCheckSync",
    "DestroyProfileOnBrowserClose",
    "HttpsFirstBalancedModeAutoEnable",
    "HttpsUpgrades",
    "LensOverlay",
    "MediaRouter",
    "NetworkTimeServiceQuerying",
    "OptimizationHints",
    "PaintHolding",
    "SpareRendererForSitePerProcess",  # a process in advance, for a site that no test goes to
    "ThirdPartyStoragePartitioning",
    "AimEnabled",
    "InitialWebUI",
    "PreconnectToSearch",
    "PreloadTopChromeWebUI",
    "WebUILocationBar",
    "WebUIOmniboxAimPopup",
    "WebUIOmniboxFullPopup",
    "WebUIOmniboxPopup",
    "WebUIReloadButton",
    "WebUIToolbar",
]
# A sandbox needs privileges that containers lack; the rest keeps Chromium from calling home.
SWITCHES = [
    "--no-sandbox",
    f"--disable-features={','.join(FEATURES_OFF)}",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--mute-audio",
    "--autoplay-policy=no-user-gesture-required",
]


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """One for all tests of this process: to start it costs more than most tests."""
    path = require("chromium")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=SWITCHES)
        asyncio._set_running_loop(None)
        yield chromium
        asyncio._set_running_loop(chromium._loop)
        chromium.close()


@pytest.fixture(scope="module")
def browser(chromium: Browser) -> Iterator[Browser]:
    """Chromium, with which only the tests of this module are concerned now.

    Playwright leaves its event loop marked as the running one of this thread, and other modules
    have tests that run loops of their own. So the mark is there only as long as it must be.
    """
    asyncio._set_running_loop(chromium._loop)
    yield chromium
    asyncio._set_running_loop(None)


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
    errors = [f"{someone.nickname}: {error}" for someone in people for error in someone.errors]
    for someone in people:
        someone.close()
    assert not errors, "\n".join(errors)


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
        page.set_default_timeout(15_000)
        return page

    yield make
    for context in contexts:
        profiles.give_back(context)


@pytest.fixture
def fresh_page(new_page: Callable[..., Page]) -> Page:
    """One such page."""
    return new_page()
