"""Chromium, as the tests run it."""

import asyncio
import contextlib
from collections.abc import Iterator

from playwright.sync_api import Browser, sync_playwright

from tests.support.services import require

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
# A sandbox needs privileges that containers lack, and a process to draw in software is one more to
# talk to; the rest keeps Chromium from calling home.
SWITCHES = [
    "--no-sandbox",
    f"--disable-features={','.join(FEATURES_OFF)}",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--in-process-gpu",
    "--mute-audio",
    "--autoplay-policy=no-user-gesture-required",
]


@contextlib.contextmanager
def running() -> Iterator[Browser]:
    """Start Chromium; around each use of it there must be a `using`."""
    path = require("chromium")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=SWITCHES)
        asyncio._set_running_loop(None)
        yield chromium
        asyncio._set_running_loop(chromium._loop)
        chromium.close()


@contextlib.contextmanager
def using(chromium: Browser) -> Iterator[None]:
    """Let nothing else of this thread run an event loop, and Chromium be used, inside.

    Playwright leaves its own loop marked as the running one of the thread, and the tests that have
    nothing to do with it run loops of theirs.
    """
    asyncio._set_running_loop(chromium._loop)
    yield
    asyncio._set_running_loop(None)
