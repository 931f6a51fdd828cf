"""Chromium with the switches of the tests."""

import asyncio
import contextlib
from collections.abc import Iterator

from playwright.sync_api import Browser, sync_playwright

from tests.support.services import require

# The needed entries of Playwright's own list, because a second `--disable-features` replaces the
# first; and the parts of Chromium's window that are web pages themselves, because they take more
# time than the page under test.
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
    "SpareRendererForSitePerProcess",  # starts a process for a site that no test visits
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
# A sandbox needs privileges that containers lack. Without a GPU, a process of its own for drawing
# only takes time. The other switches turn off network requests of Chromium itself.
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
    """Run Chromium inside the block. Each use of it must be inside a block of `using`."""
    path = require("chromium")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=SWITCHES)
        asyncio._set_running_loop(None)
        yield chromium
        asyncio._set_running_loop(chromium._loop)
        chromium.close()


@contextlib.contextmanager
def using(chromium: Browser) -> Iterator[None]:
    """Make Playwright's event loop the running loop of the thread inside the block.

    Playwright's synchronous API needs that. Outside of the block, tests run loops of their own.
    """
    asyncio._set_running_loop(chromium._loop)
    yield
    asyncio._set_running_loop(None)
