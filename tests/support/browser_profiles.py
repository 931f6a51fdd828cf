"""Browser profiles that several tests use, one after the other.

For a new profile Chromium opens a window, starts a process and loads every file of the page, which
takes several times as long as most tests. A profile that a test returns is cleared of cookies and
storage; its page and the browser's cache stay.
"""

from collections import defaultdict
from typing import Any

from playwright.sync_api import Browser, BrowserContext


class Profiles:
    """The profiles of one browser, each with one page.

    Args:
        browser: the browser.
    """

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._free: dict[str, list[BrowserContext]] = defaultdict(list)
        self._looks: dict[BrowserContext, dict[str, Any]] = {}

    def new(self, **look: Any) -> BrowserContext:
        """Return a new profile, which no other test gets.

        Args:
            look: arguments of `Browser.new_context`.
        """
        context = self._browser.new_context(**look)
        context.new_page()
        return context

    def take(self, **look: Any) -> BrowserContext:
        """Return a cleared profile: one that was returned, or a new one.

        Args:
            look: arguments of `Browser.new_context`.
        """
        if free := self._free[repr(look)]:
            return free.pop()
        context = self.new(**look)
        self._looks[context] = look
        return context

    def give_back(self, context: BrowserContext) -> None:
        """Clear a profile for the next test, or close it if `new` made it."""
        if context not in self._looks:
            context.close()
            return
        look = self._looks[context]
        page, *others = context.pages
        for other in others:
            other.close()
        page.unroute_all()
        if page.url.startswith("http"):
            page.evaluate("localStorage.clear(); sessionStorage.clear()")
        # A picture of the same server: Chromium ends the page's process when the site changes.
        page.goto(f"{look['base_url']}/static/favicon.svg" if "base_url" in look else "about:blank")
        page.set_viewport_size(look["viewport"])
        page.emulate_media(color_scheme=look.get("color_scheme"))
        context.clear_cookies()
        self._free[repr(look)].append(context)
