"""Chromium, a running chat, and people who use it."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

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


# For a module, not for the session: while Playwright runs, nothing else in this thread can have an
# event loop, and other tests need one.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    chromium = require("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=SWITCHES)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChatServer]:
    """A chat for all tests of a module that leave it running."""
    require("chromium")
    with serving(tmp_path_factory.mktemp("chat")) as server:
        yield server


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[ChatServer]:
    """A chat that the test may kill."""
    require("chromium")
    with serving(tmp_path) as server:
        yield server


@pytest.fixture(scope="module")
def profiles(browser: Browser) -> Profiles:
    """Browser profiles that go from test to test."""
    return Profiles(browser)


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
def fresh_page(profiles: Profiles) -> Iterator[Page]:
    """A page of a browser that knows nothing; for tests that do not alter it."""
    context = profiles.take(viewport=DESKTOP, color_scheme="light")
    page = context.pages[0]
    page.set_default_timeout(15_000)
    yield page
    profiles.give_back(context)
